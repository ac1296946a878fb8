#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "engine/sqlite/connection.hpp"
#include "engine/type_table.hpp"

namespace daybook::sqlite {

/// Reads events over one connection, in or out of a transaction. Caches the names of streams and
/// event types by their ids. The cache is dropped when SQLite has compiled its statements again:
/// the schema has changed then, as it does when a backup is restored into the open file, after
/// which the same ids stand for other names.
class EventReader {
public:
    EventReader(Connection& connection, TypeTable& types);

    void read(const PageRequest& request, EventPage& page);
    Version version(const StreamName& stream);
    Position head();
    std::optional<std::int64_t> stream_id(std::string_view name);

    /// Drops the cached names. Called after a rollback: an id that the transaction gave to a name
    /// may be given to another name afterwards.
    void drop_names();

private:
    /// Throws InvalidError unless the log holds this event at this position.
    void require_event(const LogPoint& point);
    /// Drops the cached names if the schema has changed.
    void note_schema();
    void read_stream(const PageRequest& request, EventPage& page);
    void read_log(const PageRequest& request, EventPage& page);
    /// Adds the rows of a bound statement to the page. False if the page was full before the last
    /// row.
    bool fill(Statement& query, const PageRequest& request, EventPage& page,
              std::string_view stream);
    std::string log_statement(const PageRequest& request);
    /// ` AND column IN (…)` over the ids that `sql` finds for each name; nothing for no names.
    std::string id_condition(std::string_view column, std::string_view sql,
                             const std::vector<std::string>& names);
    const TypeEntry* type(std::int64_t id);
    std::string_view stream_name(std::int64_t id, EventPage& page);

    static constexpr std::int64_t names_cached_max = 1 << 18;
    static constexpr std::uint64_t scanned_positions_max = 200'000;

    Connection& connection_;
    TypeTable& types_;
    Statement& head_;
    Statement& stream_id_;
    int compilations_ = 0;  ///< of these two statements, when the names were cached
    std::vector<const TypeEntry*> type_by_id_;
    std::vector<std::string> name_by_id_;
};

}  // namespace daybook::sqlite
