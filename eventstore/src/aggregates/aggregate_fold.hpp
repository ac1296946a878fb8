#pragma once

#include <vector>

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/fold.hpp"

namespace daybook::detail {

/// Applies recorded events to a state. An event's type is looked up by name once; from then on its
/// interned entry is enough.
class Folder {
public:
    Folder(const FoldType& type, void* state) : type_(type), state_(state) {
        known_.reserve(type.steps.size());
    }

    /// Throws InvalidError for an event that the type does not list, CorruptError for a payload
    /// that does not fit, both with its place.
    void apply(const EventRow& row);

private:
    struct Known {
        const TypeEntry* type;
        const FoldStep* step;
    };
    const FoldStep& step(const EventRow& row);

    const FoldType& type_;
    void* state_;
    std::vector<Known> known_;
};

}  // namespace daybook::detail
