#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/type_table.hpp"

namespace daybook::postgres {

/// Reads events over one connection, inside whatever transaction is open on it.
class EventReader {
public:
    /// For whoever can send it along with something else. The second column is the log's number: a
    /// store that was made or put there anew has another, and numbers of its own for all names.
    static constexpr std::string_view select_head =
        "SELECT COALESCE(max(position), 0), 'daybook_event'::regclass::oid FROM daybook_event";

    /// All must outlive this.
    EventReader(Connection& connection, TypeTable& types)
        : connection_(connection), types_(types) {}

    void read(const PageRequest& request, EventPage& page);
    Version version(const StreamName& stream);
    Position head();
    /// Drops what a rolled back transaction may have made up.
    void forget();

private:
    /// A row of a page that waits for the name of a number.
    struct Unnamed {
        std::size_t row;
        std::int64_t number;
    };
    /// A page while its rows come.
    struct Filling {
        const PageRequest& request;
        EventPage& page;
        std::string_view stream{};   ///< of all rows; null if it is in each
        std::size_t statements = 1;  ///< that ask for it; the last one gives the rows
        int came = 0;
        bool is_full = false;  ///< and some rows that came were left out
        std::vector<Unnamed> streams{};
        std::vector<Unnamed> types{};
    };

    void read_stream(const PageRequest& request, EventPage& page);
    void read_log(const PageRequest& request, EventPage& page);
    /// How many rows may come: the server counts rows, not bytes, so that as many are asked for as
    /// would fill the page if they were as large as those before.
    int rows_asked(const PageRequest& request) const;
    void note_size(const EventPage& page) noexcept;
    /// Another table than before holds the events: the schema was dropped and made again, or
    /// another one renamed to its place, and its numbers stand for other names.
    void note_table(unsigned table);
    /// Fills the page from the rows of the statement that `send` sends last, as they come. The
    /// other results are returned.
    template <class Send>
    std::vector<Result> fill(Filling& filling, Send&& send);
    void add(const Result& row, Filling& filling);
    /// Drops all names if this is the number of another log than before. Says whether it was.
    bool note_log(std::int32_t log);
    /// Asks for the names that were not known while the rows came.
    void name(const Filling& filling);
    /// The settings, if there is no transaction that has them, then what `send` sends: its results
    /// are the last ones.
    template <class Send>
    std::vector<Result> ask(Send&& send, const Connection::Look& look = {});
    const TypeEntry* known_type(std::int64_t id) const noexcept;
    void learn_type(std::int64_t id);
    void learn_names(const std::vector<Unnamed>& rows);

    static constexpr std::uint64_t scanned_positions_max = 100'000;
    static constexpr std::size_t names_kept_max = 1 << 18;
    static constexpr std::size_t row_bytes_min = 64;

    Connection& connection_;
    TypeTable& types_;
    std::int32_t log_ = 0;          ///< whose numbers are kept
    std::size_t row_bytes_ = 1024;  ///< expected; grows at once, shrinks by halves
    unsigned table_ = 0;            ///< that the rows came from last, by its oid
    std::vector<const TypeEntry*> type_by_id_;
    std::unordered_map<std::int64_t, std::string> name_by_id_;
};

}  // namespace daybook::postgres
