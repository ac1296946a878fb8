#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postgres/connection.hpp"
#include "type_table.hpp"

namespace daybook::postgres {

/// Reads events over one connection, inside whatever transaction is open on it.
class EventReader {
public:
    /// For whoever can send it along with something else.
    static constexpr std::string_view select_head = "SELECT COALESCE(max(position), 0) FROM event";

    /// All must outlive this.
    EventReader(Connection& connection, TypeTable& types)
        : connection_(connection), types_(types) {}

    void read(const PageRequest& request, EventPage& page);
    Version version(const StreamName& stream);
    Position head();
    /// Drops what a rolled back transaction may have made up.
    void forget();

private:
    void read_stream(const PageRequest& request, EventPage& page);
    void read_log(const PageRequest& request, EventPage& page);
    /// How many rows may come: the server counts rows, not bytes, so that as many are asked for as
    /// would fill the page if they were as large as those before.
    int rows_asked(const PageRequest& request) const;
    void note_size(const EventPage& page) noexcept;
    /// Adds rows until the page is full; true if all of them were taken.
    bool fill(const Result& result, const PageRequest& request, EventPage& page,
              std::string_view stream);
    /// The settings, if there is no transaction that has them, then what `send` sends: its results
    /// are the last ones.
    template <class Send>
    std::vector<Result> ask(Send&& send);
    const TypeEntry* type(std::int32_t id);
    void learn_names(const Result& result);
    std::string_view stream_name(std::int64_t id, EventPage& page);

    static constexpr std::uint64_t scanned_positions_max = 100'000;
    static constexpr std::size_t names_kept_max = 1 << 18;
    static constexpr std::size_t row_bytes_min = 64;

    Connection& connection_;
    TypeTable& types_;
    std::size_t row_bytes_ = 1024;  ///< expected; grows at once, shrinks by halves
    std::vector<const TypeEntry*> type_by_id_;
    std::unordered_map<std::int64_t, std::string> name_by_id_;
};

}  // namespace daybook::postgres
