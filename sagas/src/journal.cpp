#include "journal.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "statements.hpp"

namespace daybook::detail {

std::optional<LoadedSaga> load_saga(EventRange newest_first) {
    for (const EventView event : newest_first) {
        const JournalEntry entry = decode_entry(event.data());
        if (entry.state.empty()) {
            throw CorruptError("the newest event of stream '" + std::string(event.stream()) +
                               "' does not hold the state of a saga: nothing but sagas may write "
                               "to streams of the category saga");
        }
        return LoadedSaga{decode_state(entry.state), event.version()};
    }
    return std::nullopt;
}

void store_saga(Transaction& tx, const SagaState& state, Version before,
                std::vector<JournaledEvent> happened) {
    happened.back().entry.state = encode_state(state);
    std::vector<NewEvent> events;
    events.reserve(happened.size());
    for (const JournaledEvent& event : happened)
        events.emplace_back(event.type, encode_entry(event.entry));
    const AppendResult stored = tx.append(saga_stream(state.id), at_version(before), events);
    write_index(tx.sql(), state, stored.version);
}

void write_index(Sql& sql, const SagaState& state, Version journal) {
    const SagaStep* step = state.current();
    std::optional<std::string> step_name;
    if (step != nullptr) step_name = step->name;
    const bool ended = has_ended(state.status);
    std::optional<Timestamp> since;
    if (!ended) since = state.waiting_since;
    std::optional<Timestamp> due = state.deadline_at;
    if (state.timer) due = due ? std::min(*due, state.timer->due_at) : state.timer->due_at;
    std::optional<std::string> error;
    if (!state.trouble.empty()) {
        error = state.trouble;
    } else if (!state.reason.empty()) {
        error = state.reason;
    }
    sql.exec(sql::upsert_saga, state.id.definition, state.id.key, state.generation, state.version,
             state.hash, to_string(state.status), step_name, error, journal, since, due,
             state.updated_at);
}

void write_timer(Sql& sql, const SagaState& state, SagaTimerKind kind, Timestamp due_at) {
    sql.exec(sql::upsert_timer, state.id.definition, state.id.key, to_string(kind),
             state.generation, state.hash, due_at);
}

std::optional<Timestamp> due_of(const SagaState& state, SagaTimerKind kind) {
    if (kind == SagaTimerKind::deadline) return state.deadline_at;
    if (state.timer && state.timer->kind == kind) return state.timer->due_at;
    return std::nullopt;
}

void sync_timer(Sql& sql, const SagaState& state, SagaTimerKind kind) {
    if (const auto due_at = due_of(state, kind)) {
        write_timer(sql, state, kind, *due_at);
    } else {
        sql.exec(sql::delete_timer, state.id.definition, state.id.key, to_string(kind));
    }
}

}  // namespace daybook::detail
