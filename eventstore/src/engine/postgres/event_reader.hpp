#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/type_table.hpp"

namespace daybook::postgres {

/// Reads events over one connection, in the open transaction if there is one. Keeps a cache of the
/// names of streams and event types by their ids.
class EventReader {
public:
    /// Selects the head of the log and the oid of its table. A store that was dropped and made anew
    /// has another oid, and its ids stand for other names. Public because a caller can send it
    /// together with its own statements.
    static constexpr std::string_view select_head =
        "SELECT COALESCE(max(position), 0), 'daybook_event'::regclass::oid FROM daybook_event";

    /// `connection` and `types` must outlive this.
    EventReader(Connection& connection, TypeTable& types)
        : connection_(connection), types_(types) {}

    void read(const PageRequest& request, EventPage& page);
    Version version(const StreamName& stream);
    Position head();
    /// Drops the cached names. Called after a rollback: an id that the transaction gave to a name
    /// may be given to another name afterwards.
    void drop_names();

private:
    /// A row of a page whose stream or type is not in the cache.
    struct UnresolvedName {
        std::size_t row;
        std::int64_t id;
    };
    /// A page whose rows are being received.
    struct PageFill {
        const PageRequest& request;
        EventPage& page;
        /// The stream of all rows; null if each row has its own.
        std::string_view stream{};
        /// How many statements are sent for the page; the last one returns its rows.
        std::size_t statements = 1;
        int rows_received = 0;
        bool is_full = false;  ///< at least one received row did not fit
        std::vector<UnresolvedName> streams{};
        std::vector<UnresolvedName> types{};
    };

    void read_stream(const PageRequest& request, EventPage& page);
    void read_log(const PageRequest& request, EventPage& page);
    /// The LIMIT of the next statement. The server counts rows and a page counts bytes, so this is
    /// as many rows as would fill the page if they were as large as those read before.
    int row_limit(const PageRequest& request) const;
    void note_size(const EventPage& page) noexcept;
    /// Drops the cached names if the rows come from another table than the last ones: the schema
    /// was made anew, or another schema was renamed to its name, and the same ids stand for other
    /// names.
    void note_row_table(unsigned table);
    /// Fills the page with the rows of the last statement that `send` sends, as they come. Returns
    /// all results; that of the last statement is left without rows.
    template <class Send>
    std::vector<Result> fill_page(PageFill& fill, Send&& send);
    void add(const Result& row, PageFill& fill);
    /// Drops the cached names if this is the oid of another table than before. Returns whether it
    /// is.
    bool note_log_table(std::int32_t log_table);
    /// Selects the names that were not in the cache and completes the page's rows.
    void resolve_names(const PageFill& fill);
    /// Runs the statements that `send` sends. Their results are the last ones: outside of a
    /// transaction those of the settings may come before.
    template <class Send>
    std::vector<Result> run(Send&& send, const Connection::RowVisitor& visit_row = {});
    const TypeEntry* cached_type(std::int64_t id) const noexcept;
    void load_type(std::int64_t id);
    void load_stream_names(const std::vector<UnresolvedName>& rows);

    static constexpr std::uint64_t scanned_positions_max = 100'000;
    static constexpr std::size_t names_kept_max = 1 << 18;
    static constexpr std::size_t row_bytes_min = 64;

    Connection& connection_;
    TypeTable& types_;
    std::int32_t log_table_ = 0;  ///< oid of the table that the cached ids belong to
    /// Expected size of a row. Grows to the last page's average at once and shrinks by halves.
    std::size_t row_bytes_ = 1024;
    unsigned row_table_ = 0;  ///< oid of the table that the last rows came from
    std::vector<const TypeEntry*> type_by_id_;
    std::unordered_map<std::int64_t, std::string> name_by_id_;
};

}  // namespace daybook::postgres
