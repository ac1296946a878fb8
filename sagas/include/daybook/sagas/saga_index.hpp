#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/sagas/saga_explanation.hpp"

namespace daybook {

/// Which sagas to list. An empty field matches all.
struct SagaFilter {
    std::string definition{};
    std::optional<SagaStatus> status{};
    bool unfinished = false;  ///< only those that have not ended
    std::size_t limit = 1000;
    /// Lists only the sagas after this one; the order is by definition and key.
    std::optional<SagaId> after{};
};

/// Queries the sagas of a store; needs none of their definitions. Thread-safe.
///
///     SagaIndex sagas{store};
///     for (const auto& saga : sagas.list({.status = SagaStatus::incident}))
///         std::puts(sagas.explain(saga.id).text().c_str());
class SagaIndex {
public:
    explicit SagaIndex(EventStore store) : store_(std::move(store)) {}

    std::vector<SagaSummary> list(const SagaFilter& filter = {}) const;
    std::size_t count(const SagaFilter& filter = {}) const;
    /// See SagaOrchestrator::retry_start. Ordered by definition and position.
    std::vector<SagaFailedStart> failed_starts(std::size_t limit = 1000) const;
    /// Includes the parked messages of the saga. Throws NotFoundError.
    SagaExplanation explain(const SagaId& id) const;
    /// All inputs of the saga, oldest first. Throws NotFoundError.
    std::vector<SagaHistoryEntry> history(const SagaId& id) const;
    /// Rebuilds the index and the timers from the journals, in one transaction, and returns the
    /// number of sagas. It sends no command and fires no timer; due times stay as they were.
    std::size_t rebuild();

private:
    EventStore store_;
};

}  // namespace daybook
