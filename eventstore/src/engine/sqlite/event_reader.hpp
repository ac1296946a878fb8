#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "engine/sqlite/connection.hpp"
#include "engine/type_table.hpp"

namespace daybook::sqlite {

/// Reads events over one connection, in or out of a transaction. What it has learned of streams and
/// types is kept until `forget`, or until the schema has changed: as it does when a backup is put
/// back into the file while it is open, and the numbers stand for other names.
class EventReader {
public:
    EventReader(Connection& connection, TypeTable& types);

    void read(const PageRequest& request, EventPage& page);
    Version version(const StreamName& stream);
    Position head();
    std::optional<std::int64_t> stream_id(std::string_view name);

    /// Drops what was learned inside a transaction that is rolled back.
    void forget();

private:
    /// Throws InvalidError if the log does not hold it.
    void require(const LogPoint& known);
    void note_schema();
    void read_stream(const PageRequest& request, EventPage& page);
    void read_log(const PageRequest& request, EventPage& page);
    /// Runs one bound statement into the page; false if the page was full before the end.
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
    int compilations_ = 0;  ///< of these two, when the schema was last known
    std::vector<const TypeEntry*> type_by_id_;
    std::vector<std::string> name_by_id_;
};

}  // namespace daybook::sqlite
