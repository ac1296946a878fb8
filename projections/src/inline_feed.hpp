#pragma once

#include <memory>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "model_feed.hpp"
#include "registry.hpp"
#include "unit_database.hpp"

namespace daybook::detail {

/// Feeds an inline model inside units of the store, from its checkpoint to the head of the unit, so
/// that what a program without the projection has appended is brought in as well. Used by whoever
/// holds the store's write transaction.
class InlineFeed {
public:
    InlineFeed(Engine& engine, const Clock& clock,
               std::shared_ptr<const ProjectionDefinition> definition, std::string fingerprint);

    /// Leaves alone what this definition has not made of this log, and what is halted. Throws
    /// InvalidError for a failing event if it belongs to the unit itself; for an older one the
    /// projection halts and the unit goes on.
    void feed(Transaction& unit, Position upto = ModelFeed::no_bound);

private:
    Engine& engine_;
    const std::shared_ptr<const ProjectionDefinition> definition_;
    const std::string fingerprint_;
    UnitDatabase database_;
    ModelFeed feed_;
};

}  // namespace daybook::detail
