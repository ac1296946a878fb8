#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/worker.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "definition_set.hpp"
#include "saga_unit.hpp"

namespace daybook {

struct SagaOrchestrator::State {
    static constexpr Backoff after_failure =
        exponential{std::chrono::milliseconds{100}, 2.0, std::chrono::seconds{5}}.full_jitter();

    State(EventStore opened, SagaOptions chosen)
        : store(std::move(opened)),
          options(chosen),
          data_bytes_max(std::min(chosen.data_bytes_max, store.options().payload_bytes_max)),
          worker(store, {.name = "the saga orchestrator",
                         .retry = after_failure,
                         .on_wait = [this](const auto& why) { wait(why); }}) {}

    // starter.cpp
    /// Nothing if another process is at it.
    std::optional<std::size_t> start_new(const SagaDefinition& definition);
    void start_one(Transaction& tx, const SagaDefinition& definition, const EventView& event,
                   const std::string& fault);
    void take_failed_start(std::string_view definition, Position event, const SagaOperator& by,
                           const std::function<void(Transaction&, const SagaDefinition&)>& action);
    // timers.cpp
    std::size_t fire_due();
    void look_at_clock();
    std::optional<Timestamp> next_due() const;
    // replies.cpp
    void handle_reply(const Message& message, Transaction& tx);
    /// Whether the saga was begun with a definition that is there.
    bool takes(const Message& envelope) const;
    // orchestrator.cpp
    std::size_t run_once();
    NextStep step();
    void wait(const std::exception_ptr& why);
    /// How long nothing is due, if nobody commits.
    std::chrono::milliseconds rest() const;
    void trouble(const std::string& text);
    /// Then nothing else can go on either.
    static bool concerns_store(const std::exception& error) noexcept;
    /// Drops what was kept in memory of the store.
    void forget();
    /// The same when the store behind the name has become another one.
    void look_at_identity();
    std::string last_error() const;
    SagaExplanation act(const SagaId& id, const SagaOperator& by,
                        const std::function<void(detail::SagaUnit&, Transaction&)>& action);

    EventStore store;
    const SagaOptions options;
    const std::size_t data_bytes_max;
    detail::DefinitionSet definitions;  // constant once it runs

private:
    struct DueTimer {
        SagaId id;
        std::string kind;
        int generation = 1;
        Timestamp due_at{};
    };
    std::vector<DueTimer> due_timers(Timestamp now) const;
    bool fire(const DueTimer& timer);
    std::vector<SagaId> sagas_of_the_future(Timestamp now) const;
    bool fire_or_hold(const DueTimer& timer);
    std::size_t fire_counted(const std::vector<DueTimer>& due);
    std::int64_t count_attempt(const DueTimer& timer);
    void give_up(const DueTimer& timer);
    /// In one unit; false if there is no such saga, no definition for it, or nothing was done.
    bool change(const SagaId& id, const std::function<bool(detail::SagaUnit&)>& action);
    void hold_back(const DueTimer& timer, std::string_view why);

    // starter.cpp
    /// How often a process may die of one event or timer before that is held.
    static constexpr std::int64_t deaths_max = 3;
    /// Of the process that counts: how long the next one waits after a death.
    static constexpr std::chrono::seconds counted_lease{1};
    /// True if no process seems to have died where the starts of this definition stand.
    bool begin(const std::string& definition);
    /// Takes the mark away that `begin` has left.
    void end_begun(const std::string& definition);
    /// No fault of the event that was to start something: the store's, or another was faster.
    static bool concerns_all(const std::exception& error) noexcept;
    std::size_t start_page(const SagaDefinition& definition, const EventPage& page);
    /// The same where a process has died; nothing if another process is at it.
    std::optional<std::size_t> start_counted(const SagaDefinition& definition,
                                             const EventPage& page);
    std::int64_t count_attempt(const SagaDefinition& definition, Position event);
    /// In one unit: those of the rows that nobody has started yet, and the checkpoint to `done`.
    /// With a `fault` they begin as incidents.
    std::size_t start_all(const SagaDefinition& definition, std::span<const EventRow> rows,
                          Position done, const std::string& fault = {});
    std::size_t start_or_hold(const SagaDefinition& definition, const EventRow& row, Position done);
    bool may_look_again(const SagaDefinition& definition, Position event);
    void hold_start(const SagaDefinition& definition, const EventRow& row, Position done,
                    const std::string& why);
    Position seen(const SagaDefinition& definition) const;
    void saw(const SagaDefinition& definition, Position position);

    struct Begun {
        bool alone = true;
        bool ended = false;
    };
    // By definition's name.
    mutable std::mutex mutex_;
    std::map<std::string, Position> seen_;  // under the mutex
    std::map<std::string, Begun> begun_;    // under the mutex; see `begin`
    // Under the mutex: the event that failed last, and how often.
    std::map<std::string, std::pair<Position, int>> failed_;
    std::string last_error_;                                              // under the mutex
    EventId identity_{};                                                  // under the mutex
    std::optional<std::chrono::steady_clock::time_point> identity_seen_;  // under the mutex
    Timestamp clock_seen_ = Timestamp::max();                             // under the mutex
    std::atomic<bool> starts_wait_ = false;  // the last look left some that it had seen

    std::mutex counting_mutex_;
    // Under it, what this process has counted ahead; see `count_attempt`.
    std::map<std::string, Position> counted_;
    std::set<std::pair<SagaId, std::string>> counted_timers_;

public:
    Worker worker;  // last: it uses all the rest
};

}  // namespace daybook
