#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/sagas/saga_explanation.hpp"

namespace daybook {

/// Which sagas to list. An empty field lets all through.
struct SagaFilter {
    std::string definition{};
    std::optional<SagaStatus> status{};
    bool unfinished = false;  ///< only those that have not ended
    std::size_t limit = 1000;
    /// Continue after this one: lists are ordered by definition and key.
    std::optional<SagaId> after{};
};

/// Looks at the sagas of a store; needs none of their definitions. Thread-safe.
///
///     SagaIndex sagas{store};
///     for (const auto& saga : sagas.list({.status = SagaStatus::incident}))
///         std::puts(sagas.explain(saga.id).text().c_str());
class SagaIndex {
public:
    explicit SagaIndex(EventStore store) : store_(std::move(store)) {}

    std::vector<SagaSummary> list(const SagaFilter& filter = {}) const;
    std::size_t count(const SagaFilter& filter = {}) const;
    /// See SagaOrchestrator::retry_start; in the order of definition and position.
    std::vector<SagaFailedStart> failed_starts(std::size_t limit = 1000) const;
    /// Also what lies among the dead letters of it. Throws NotFoundError.
    SagaExplanation explain(const SagaId& id) const;
    /// Every input it ever had, oldest first. Throws NotFoundError.
    std::vector<SagaHistoryEntry> history(const SagaId& id) const;
    /// Makes index and timers new from the journals, in one unit, and returns the number of sagas.
    /// No command is sent and nothing runs; timers come back as they were.
    std::size_t rebuild();

private:
    EventStore store_;
};

}  // namespace daybook
