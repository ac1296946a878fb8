#include "journal.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "statements.hpp"

namespace daybook::detail {

bool is_entry_type(std::string_view type) noexcept {
    return std::ranges::find(journal_types, type, &EventType::name) != journal_types.end();
}

Journal load_journal(const ReadStream& read, const StreamName& stream) {
    constexpr StreamRead newest{.limit = 1, .direction = Direction::backward};
    constexpr StreamRead all{.direction = Direction::backward};
    Journal journal;
    // The newest event has the state, unless a foreign event follows it.
    for (const StreamRead& part : {newest, all}) {
        for (const EventView event : read(stream, part)) {
            journal.version = std::max(journal.version, event.version());
            if (!is_entry_type(event.type())) continue;
            journal.state = decode_entry_state(event.data());
            if (journal.state) return journal;
        }
        if (journal.version == Version{0}) break;
    }
    return journal;
}

std::optional<LoadedSaga> load_saga(Transaction& tx, const SagaId& id) {
    const auto read = [&](const StreamName& name, StreamRead part) { return tx.read(name, part); };
    return load_journal(read, saga_stream(id)).saga();
}

std::optional<LoadedSaga> load_saga(const EventStore& store, const SagaId& id) {
    const auto read = [&](const StreamName& name, StreamRead part) {
        return store.read(name, part);
    };
    return load_journal(read, saga_stream(id)).saga();
}

void store_saga(Transaction& tx, const SagaState& state, Version before,
                std::vector<JournaledEvent> entries) {
    entries.back().entry.state = encode_state(state);
    std::vector<NewEvent> events;
    events.reserve(entries.size());
    for (const JournaledEvent& event : entries)
        events.emplace_back(event.type, encode_entry(event.entry));
    const AppendResult stored =
        append_reserved(tx, saga_stream(state.id), at_version(before), events);
    write_index(store_sql(tx), state, stored.version);
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
    if (!state.error.empty()) {
        error = state.error;
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
