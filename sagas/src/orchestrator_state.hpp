#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "daybook/core/error.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "definition_set.hpp"
#include "saga_unit.hpp"

namespace daybook {

struct SagaOrchestrator::State {
    State(EventStore opened, SagaOptions chosen) : store(std::move(opened)), options(chosen) {}

    // starter.cpp
    std::size_t start_new(const SagaDefinition& definition);
    // timers.cpp
    std::size_t fire_due();
    std::optional<Timestamp> next_due() const;
    // replies.cpp
    void handle_reply(const Message& message, Transaction& tx);
    // orchestrator.cpp
    std::size_t run_once();
    void run(const std::stop_token& stop);
    void trouble(const std::string& text);
    /// Then nothing else can go on either.
    static bool concerns_store(const Error& error) noexcept;
    std::string last_error() const;
    SagaExplanation act(const SagaId& id, const SagaOperator& by,
                        const std::function<void(detail::SagaUnit&, Transaction&)>& action);

    EventStore store;
    const SagaOptions options;
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
    void postpone(const DueTimer& timer);
    void start_one(Transaction& tx, const SagaDefinition& definition, const EventView& event);
    Position seen(const SagaDefinition& definition) const;
    void saw(const SagaDefinition& definition, Position position);

    mutable std::mutex mutex_;
    std::map<std::string, Position> seen_;  // under the mutex; by definition's name
    std::string last_error_;                // under the mutex

public:
    std::jthread worker;  // last: it uses all the rest
};

}  // namespace daybook
