#include "checkpoint_tables.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/schema/migrations.hpp"
#include "statements.hpp"

namespace daybook::detail {

Checkpoint empty_checkpoint(const EventId& store, std::string definition, std::uint64_t token) {
    Checkpoint checkpoint;
    checkpoint.store = store;
    checkpoint.definition = std::move(definition);
    checkpoint.token = token;
    return checkpoint;
}

void CheckpointTables::create() { sql_.script(read_model_tables()); }

std::optional<Checkpoint> CheckpointTables::load() {
    std::optional<Checkpoint> checkpoint;
    const auto count = [](const SqlRow& row, int column) {
        return static_cast<std::uint64_t>(row.integer(column));
    };
    EventId store;
    EventId event;
    const auto id = [](const SqlRow& row, int column) {
        return row.is_null(column) ? EventId{} : row.id(column);
    };
    sql_.each(
        location_ == CheckpointLocation::store_database ? statements::load_checkpoint_of_store
                                                        : statements::load_checkpoint,
        [&](const SqlRow& row) {
            checkpoint.emplace();
            checkpoint->position = row.position(0);
            checkpoint->applied = count(row, 1);
            checkpoint->filtered = count(row, 2);
            checkpoint->parked = count(row, 3);
            checkpoint->skipped = count(row, 4);
            checkpoint->token = count(row, 5);
            checkpoint->indexed = row.integer(6) != 0;
            checkpoint->store = id(row, 7);
            checkpoint->event = id(row, 8);
            checkpoint->definition = row.text(9);
            if (location_ == CheckpointLocation::model_database) return;
            store = id(row, 10);
            event = id(row, 11);
        },
        projection_);
    if (!checkpoint) return checkpoint;
    check(*checkpoint);
    if (location_ == CheckpointLocation::store_database)
        require_same_log(*checkpoint, store, event);
    return checkpoint;
}

void CheckpointTables::insert(const Checkpoint& checkpoint) {
    if (location_ == CheckpointLocation::store_database) {
        sql_.exec(statements::insert_checkpoint_of_store, projection_, checkpoint.position,
                  checkpoint.applied, checkpoint.filtered, checkpoint.parked, checkpoint.skipped,
                  checkpoint.indexed, checkpoint.definition, checkpoint.position);
        return;
    }
    sql_.exec(statements::insert_checkpoint, projection_, checkpoint.position, checkpoint.applied,
              checkpoint.filtered, checkpoint.parked, checkpoint.skipped, checkpoint.token,
              checkpoint.indexed, checkpoint.store, SqlValue::id_or_null(checkpoint.event),
              checkpoint.definition);
}

void CheckpointTables::advance(const Checkpoint& before, const Checkpoint& after) {
    check(after);
    const auto changed = location_ == CheckpointLocation::store_database
                             ? sql_.exec(statements::advance_checkpoint_of_store, after.position,
                                         after.applied, after.filtered, after.parked, after.skipped,
                                         after.position, projection_, before.position)
                             : sql_.exec(statements::advance_checkpoint, after.position,
                                         after.applied, after.filtered, after.parked, after.skipped,
                                         SqlValue::id_or_null(after.event), projection_,
                                         before.position, before.token);
    if (changed == 1) return;
    throw UnavailableError("projection '" + std::string(projection_) +
                           "': somebody else has moved its checkpoint on from position " +
                           std::to_string(before.position.value()) + ": try again");
}

void CheckpointTables::fence(std::uint64_t token) {
    sql_.exec(statements::fence_checkpoint, token, projection_);
}

void CheckpointTables::mark_indexed() { sql_.exec(statements::mark_indexed, projection_); }

void CheckpointTables::erase() {
    sql_.exec(statements::delete_checkpoint, projection_);
    sql_.exec(statements::delete_all_set_aside, projection_);
}

bool CheckpointTables::is_parked(std::string_view key) {
    return sql_.integer(statements::is_parked, projection_, key).has_value();
}

void CheckpointTables::set_aside(const FailedEvent& event, bool parked, Timestamp now) {
    sql_.exec(statements::insert_set_aside, projection_, event.position, event.key, event.type,
              parked, event.error, "", event.attempts, now);
}

std::vector<ParkedEvent> CheckpointTables::parked(std::size_t limit) {
    std::vector<ParkedEvent> events;
    sql_.each(
        statements::list_parked,
        [&](const SqlRow& row) {
            events.push_back({row.position(0), std::string(row.text(1)), std::string(row.text(2)),
                              std::string(row.text(3)), static_cast<int>(row.integer(4)),
                              row.timestamp(5)});
        },
        projection_, limit);
    return events;
}

std::vector<std::string> CheckpointTables::parked_keys() {
    std::vector<std::string> keys;
    sql_.each(
        statements::list_parked_keys, [&](const SqlRow& row) { keys.emplace_back(row.text(0)); },
        projection_);
    // Byte by byte on every engine, whatever collation a database has.
    std::ranges::sort(keys);
    return keys;
}

std::optional<Position> CheckpointTables::first_parked(std::string_view key) {
    const auto found = sql_.integer(statements::next_parked, projection_, key);
    if (!found) return std::nullopt;
    return Position{static_cast<std::uint64_t>(*found)};
}

void CheckpointTables::unpark(Position position) {
    sql_.exec(statements::delete_set_aside, projection_, position);
}

void CheckpointTables::record_attempt(Position position, std::string_view error) {
    sql_.exec(statements::record_attempt, error, projection_, position);
}

std::uint64_t CheckpointTables::discard(std::string_view key, std::string_view reason) {
    return static_cast<std::uint64_t>(
        sql_.exec(statements::discard_parked, reason, projection_, key));
}

std::uint64_t CheckpointTables::discard_one(Position position, std::string_view reason) {
    return static_cast<std::uint64_t>(
        sql_.exec(statements::discard_one, reason, projection_, position));
}

void CheckpointTables::require_same_log(const Checkpoint& checkpoint, const EventId& store,
                                        const EventId& event) const {
    const auto refuse = [&](const std::string& why) {
        throw OtherLogError("projection '" + std::string(projection_) + "': " + why +
                            ": rebuild it");
    };
    if (checkpoint.store != store) {
        refuse("its model was made from the log of another store, " + checkpoint.store.to_string() +
               ", and this one is " + store.to_string());
    }
    if (checkpoint.event == event) return;
    const std::string stands = "its model stands on event " + checkpoint.event.to_string() +
                               " at position " + std::to_string(checkpoint.position.value());
    if (event.is_nil()) refuse(stands + ", beyond the end of the log, which has lost events");
    refuse(stands + ", where the log has " + event.to_string() +
           ": the log was put back from a backup, or has lost events");
}

void CheckpointTables::check(const Accounting& checkpoint) const {
    if (checkpoint.sum() == checkpoint.position.value()) return;
    throw CorruptError(
        "projection '" + std::string(projection_) + "': " + std::to_string(checkpoint.applied) +
        " applied + " + std::to_string(checkpoint.filtered) + " filtered + " +
        std::to_string(checkpoint.parked) + " parked + " + std::to_string(checkpoint.skipped) +
        " skipped is not position " + std::to_string(checkpoint.position.value()) +
        ": events were lost or counted twice, rebuild it");
}

}  // namespace daybook::detail
