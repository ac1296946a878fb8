#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/worker.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "definition_set.hpp"
#include "saga_transaction.hpp"

namespace daybook {

struct SagaOrchestrator::State {
    static constexpr Backoff after_failure =
        exponential(std::chrono::milliseconds{100}, 2.0, std::chrono::seconds{5}).full_jitter();

    State(EventStore opened, SagaOptions chosen)
        : store(std::move(opened)),
          options(chosen),
          data_bytes_max(std::min(chosen.data_bytes_max, store.options().payload_bytes_max)),
          worker(store, {.name = "the saga orchestrator",
                         .retry = after_failure,
                         .on_wait = [this](const auto& why) { wait(why); }}) {}

    // starter.cpp
    /// Returns the number of starts; nothing if another process handles them in recovery.
    std::optional<std::size_t> start_new(const SagaDefinition& definition);
    void start_one(Transaction& tx, const SagaDefinition& definition, const EventView& event,
                   const std::string& fault);
    void take_failed_start(std::string_view definition, Position event, const SagaOperator& by,
                           const std::function<void(Transaction&, const SagaDefinition&)>& action);
    // timers.cpp
    std::size_t fire_due();
    void check_clock();
    std::optional<Timestamp> next_due() const;
    // replies.cpp
    void handle_reply(const Message& message, Transaction& tx);
    /// Whether the definition that the saga was started with was added here.
    bool takes(const Message& envelope) const;
    // orchestrator.cpp
    std::size_t run_once();
    NextStep step();
    void wait(const std::exception_ptr& why);
    /// How long the worker may sleep unless a commit wakes it.
    std::chrono::milliseconds sleep_time() const;
    void report_error(const std::string& text);
    /// An error of the store, which stops all sagas, not one.
    static bool is_store_error(const std::exception& error) noexcept;
    /// Drops the values cached from the store.
    void drop_caches();
    /// The same if the store was replaced by another one under the same name: the cached
    /// checkpoints would skip events of the new log.
    void check_identity();
    std::string last_error() const;
    SagaExplanation act(const SagaId& id, const SagaOperator& by,
                        const std::function<void(detail::SagaTransaction&, Transaction&)>& action);

    EventStore store;
    const SagaOptions options;
    const std::size_t data_bytes_max;
    detail::DefinitionSet definitions;  // constant after the last `add`

private:
    struct DueTimer {
        SagaId id;
        std::string kind;
        int generation = 1;
        Timestamp due_at{};
    };
    std::vector<DueTimer> due_timers(Timestamp now) const;
    bool fire(const DueTimer& timer);
    std::vector<SagaId> sagas_ahead_of(Timestamp now) const;
    bool fire_or_postpone(const DueTimer& timer);
    std::size_t fire_counted(const std::vector<DueTimer>& due);
    std::int64_t count_attempt(const DueTimer& timer);
    void give_up(const DueTimer& timer);
    /// Applies `action` to a saga in one transaction; false if the saga or its definition is
    /// missing, or if `action` changed nothing.
    bool change(const SagaId& id, const std::function<bool(detail::SagaTransaction&)>& action);
    void postpone(const DueTimer& timer, std::string_view why);

    // starter.cpp
    /// How often a process may die at one event or timer before the saga becomes an incident.
    static constexpr std::int64_t crashes_max = 3;
    /// The lease of the process that recovers: how long the next one waits if that process dies.
    static constexpr std::chrono::seconds recovery_lease{1};
    /// Marks in the store that this process works on the starts of this definition. True if there
    /// was no other mark. Otherwise another process is at work too, or has died there: this process
    /// then recovers, and counts each attempt in the store before it makes it.
    bool mark_in_progress(const std::string& definition);
    /// Removes the mark.
    void clear_in_progress(const std::string& definition);
    /// Not caused by the event that was to start a saga: an error of the store, or a conflict with
    /// another process.
    static bool is_store_error_or_conflict(const std::exception& error) noexcept;
    std::size_t start_page(const SagaDefinition& definition, const EventPage& page);
    /// The same in recovery; nothing if another process recovers.
    std::optional<std::size_t> start_counted(const SagaDefinition& definition,
                                             const EventPage& page);
    std::int64_t count_attempt(const SagaDefinition& definition, Position event);
    /// In one transaction: starts the sagas of those rows that are after the stored checkpoint, and
    /// moves the checkpoint to `new_checkpoint`. If the checkpoint moved in an earlier transaction,
    /// a crash in between would lose the starts. With a `fault` the sagas are incidents from the
    /// start.
    std::size_t start_all(const SagaDefinition& definition, std::span<const EventRow> rows,
                          Position new_checkpoint, const std::string& fault = {});
    std::size_t start_or_record_failure(const SagaDefinition& definition, const EventRow& row,
                                        Position new_checkpoint);
    bool may_retry_start(const SagaDefinition& definition, Position event);
    void record_start_failure(const SagaDefinition& definition, const EventRow& row,
                              Position new_checkpoint, const std::string& why);
    Position checkpoint(const SagaDefinition& definition) const;
    void advance_checkpoint(const SagaDefinition& definition, Position position);

    struct InProgress {
        bool only_mark = true;
        bool cleared = false;
    };
    // The maps are by name of the definition.
    mutable Mutex mutex_;
    std::map<std::string, Position> checkpoints_ DAYBOOK_GUARDED_BY(mutex_);
    /// See `mark_in_progress`.
    std::map<std::string, InProgress> in_progress_ DAYBOOK_GUARDED_BY(mutex_);
    /// The event whose start failed last, and how often.
    std::map<std::string, std::pair<Position, int>> failed_ DAYBOOK_GUARDED_BY(mutex_);
    std::string last_error_ DAYBOOK_GUARDED_BY(mutex_);
    EventId identity_ DAYBOOK_GUARDED_BY(mutex_){};
    std::optional<std::chrono::steady_clock::time_point> identity_checked_
        DAYBOOK_GUARDED_BY(mutex_);
    Timestamp latest_clock_ DAYBOOK_GUARDED_BY(mutex_) = Timestamp::max();
    std::atomic<bool> starts_wait_ = false;  // the last run left starts undone

    Mutex counting_mutex_;
    // The attempts that this process has counted; see `count_attempt`.
    std::map<std::string, Position> counted_ DAYBOOK_GUARDED_BY(counting_mutex_);
    std::set<std::pair<SagaId, std::string>> counted_timers_ DAYBOOK_GUARDED_BY(counting_mutex_);

public:
    Worker worker;  // last, so that its thread ends before the members that it uses
};

}  // namespace daybook
