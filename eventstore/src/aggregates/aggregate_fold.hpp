#pragma once

#include <vector>

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/fold.hpp"

namespace daybook::detail {

/// Applies recorded events to a state. It looks up the step of an event type by name once and
/// caches it by the interned entry of the type.
class Folder {
public:
    Folder(const FoldType& type, void* state) : type_(type), state_(state) {
        cached_steps_.reserve(type.steps.size());
    }

    /// Throws InvalidError for an event that the type does not list, CorruptError for a payload
    /// that does not fit. Both name stream and version.
    void apply(const EventRow& row);

private:
    struct CachedStep {
        const TypeEntry* type;
        const FoldStep* step;
    };
    const FoldStep& step(const EventRow& row);

    const FoldType& type_;
    void* state_;
    std::vector<CachedStep> cached_steps_;
};

}  // namespace daybook::detail
