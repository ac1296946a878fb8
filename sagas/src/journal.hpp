#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/transaction.hpp"
#include "daybook/sagas/saga_state.hpp"
#include "state_json.hpp"

// The journal of a saga: its stream in the store.
//
//     stream saga-fulfil-order:10248
//       1  saga.started    {"generation": 1, "status": …, "text": …, "input": …, "state": {…}}
//       2  saga.replied    {… "state": {…}}
//       3  saga.replied    {…}              without "state": event 4 is of the same transaction
//       4  saga.completed  {… "state": {…}}
//
// The last event of each transaction holds the whole state, so loading reads one event; the tables
// are an index, which `SagaIndex::rebuild` restores. Programs cannot append to these streams;
// foreign events, which older versions of the library admitted, are skipped.

namespace daybook::detail {

inline constexpr EventType started_type{"saga.started", 1};
inline constexpr EventType replied_type{"saga.replied", 1};
inline constexpr EventType timer_fired_type{"saga.timer-fired", 1};
inline constexpr EventType clock_set_back_type{"saga.clock-set-back", 1};
inline constexpr EventType operated_type{"saga.operated", 1};
inline constexpr EventType held_type{"saga.held", 1};
inline constexpr EventType ignored_type{"saga.ignored", 1};
inline constexpr EventType undo_sent_type{"saga.undo-sent", 1};
inline constexpr EventType completed_type{"saga.completed", 1};
inline constexpr EventType compensated_type{"saga.compensated", 1};
inline constexpr EventType failed_type{"saga.failed", 1};
inline constexpr EventType cancelled_type{"saga.cancelled", 1};

inline constexpr std::array journal_types{clock_set_back_type, started_type,   replied_type,
                                          timer_fired_type,    operated_type,  held_type,
                                          ignored_type,        undo_sent_type, completed_type,
                                          compensated_type,    failed_type,    cancelled_type};

struct JournaledEvent {
    EventType type;
    JournalEntry entry;
};

struct LoadedSaga {
    SagaState state;
    Version journal;  ///< of the whole stream
};

struct Journal {
    Version version{};  ///< of the whole stream
    std::optional<SagaState> state{};

    std::optional<LoadedSaga> saga() && {
        if (!state) return std::nullopt;
        return LoadedSaga{std::move(*state), version};
    }
};

/// Reads a stream, through a transaction or through the store.
using ReadStream = std::function<EventRange(const StreamName&, StreamRead)>;

/// The state in the newest journal entry that has one. Throws CorruptError.
Journal load_journal(const ReadStream& read, const StreamName& stream);
/// The same by id; nothing if there is no such saga.
std::optional<LoadedSaga> load_saga(Transaction& tx, const SagaId& id);
std::optional<LoadedSaga> load_saga(const EventStore& store, const SagaId& id);

/// True for the types of journal entries; events of other types in a journal are foreign.
bool is_entry_type(std::string_view type) noexcept;

/// Appends the entries of one transaction, the last one with the whole state, and updates the
/// index. `before` is the version that the state was loaded at: if another process has appended
/// since, this throws ConflictError, and the inputs of this transaction do not take effect.
void store_saga(Transaction& tx, const SagaState& state, Version before,
                std::vector<JournaledEvent> entries);

void write_index(Sql& sql, const SagaState& state, Version journal);
void write_timer(Sql& sql, const SagaState& state, SagaTimerKind kind, Timestamp due_at);
/// Writes or deletes the row of one timer to match the state.
void sync_timer(Sql& sql, const SagaState& state, SagaTimerKind kind);

/// When a timer of this kind is due; nothing if none is armed.
std::optional<Timestamp> due_of(const SagaState& state, SagaTimerKind kind);

}  // namespace daybook::detail
