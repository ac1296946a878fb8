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

// A saga in the store.
//
//     stream saga-fulfil-order:10248
//       1  saga.started      {"generation": 1, "status": "running", "text": …, "input": …, "state":
//       …} 2  saga.replied      … 3  saga.replied      … without "state": more of the same unit
//       follows 4  saga.completed    {… "state": …}
//
// The newest event holds the whole state, so loading is reading one event; the tables are an index.
// Nobody else can append here. Events that came in before that was so are passed over.

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

/// Reads a stream; `read` is a transaction's or a store's.
using ReadStream = std::function<EventRange(const StreamName&, StreamRead)>;

/// The saga as the newest entry of its journal has it. Throws CorruptError.
Journal load_journal(const ReadStream& read, const StreamName& stream);
/// The same; nothing if there is no saga.
std::optional<LoadedSaga> load_saga(Transaction& tx, const SagaId& id);
std::optional<LoadedSaga> load_saga(const EventStore& store, const SagaId& id);

/// True for the types of a journal's entries; all else in one is somebody else's.
bool is_entry_type(std::string_view type) noexcept;

/// Appends what happened in one unit after version `before`, the last of it with the whole state,
/// and brings the index up to date. Throws ConflictError.
void store_saga(Transaction& tx, const SagaState& state, Version before,
                std::vector<JournaledEvent> happened);

void write_index(Sql& sql, const SagaState& state, Version journal);
void write_timer(Sql& sql, const SagaState& state, SagaTimerKind kind, Timestamp due_at);
/// Makes the row of one timer what the state says of it.
void sync_timer(Sql& sql, const SagaState& state, SagaTimerKind kind);

/// When a timer of this kind is due; nothing if none is armed.
std::optional<Timestamp> due_of(const SagaState& state, SagaTimerKind kind);

}  // namespace daybook::detail
