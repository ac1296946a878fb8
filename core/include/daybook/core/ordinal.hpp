#pragma once

#include <compare>
#include <cstdint>

namespace daybook {

/// A counting number with a type of its own, so that positions and versions are not mixed up.
/// Converts from a plain number, never to another ordinal.
template <class Tag>
class Ordinal {
public:
    constexpr Ordinal() noexcept = default;
    constexpr Ordinal(std::uint64_t value) noexcept : value_(value) {}

    constexpr std::uint64_t value() const noexcept { return value_; }
    constexpr Ordinal next() const noexcept { return Ordinal{value_ + 1}; }

    constexpr auto operator<=>(const Ordinal&) const noexcept = default;

private:
    std::uint64_t value_ = 0;
};

/// The position of an event in the whole log: 1, 2, 3 … without gaps. 0 is before the first.
/// Position order is commit order is visibility order, on every engine.
using Position = Ordinal<struct PositionTag>;

/// How many events a stream holds; its first event has version 1. 0 is a stream without events.
using Version = Ordinal<struct VersionTag>;

}  // namespace daybook
