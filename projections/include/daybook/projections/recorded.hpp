#pragma once

#include <optional>
#include <string_view>

#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// A recorded event of a known type: where and when it was recorded, and through `*` and `->` the
/// event itself, which is decoded at the first access. Valid only during the call that gets it.
template <Event E>
class Recorded {
public:
    explicit Recorded(EventView view) noexcept : view_(view) {}

    /// Throws InvalidError for a schema version that `E` is not, CorruptError for a payload that
    /// does not fit.
    const E& operator*() const { return decoded(); }
    const E* operator->() const { return &decoded(); }

    Position position() const noexcept { return view_.position(); }
    Version version() const noexcept { return view_.version(); }
    Timestamp recorded_at() const noexcept { return view_.recorded_at(); }
    EventId id() const noexcept { return view_.id(); }
    std::string_view stream() const noexcept { return view_.stream(); }
    std::string_view category() const noexcept { return view_.category(); }
    std::string_view metadata() const noexcept { return view_.metadata(); }
    EventId correlation() const noexcept { return view_.correlation(); }
    EventId causation() const noexcept { return view_.causation(); }

    /// The event as it was stored.
    EventView view() const noexcept { return view_; }

private:
    const E& decoded() const {
        if (!event_) event_.emplace(view_.as<E>());
        return *event_;
    }

    EventView view_;
    mutable std::optional<E> event_;
};

}  // namespace daybook
