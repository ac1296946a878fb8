#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace daybook {

/// The name of a stream: a category, a `-`, and the id of the thing (`order-10248`).
/// A name without `-` is its own category.
///
///     const StreamName name{"order-10248"};
///     name.category();  // "order"
///     name.id();        // "10248"
class StreamName {
public:
    static constexpr std::size_t bytes_max = 200;

    /// Throws InvalidError unless the name is 1 to `bytes_max` bytes of UTF-8 without white
    /// space or control characters, and begins with neither `-` nor `$`.
    StreamName(std::string name);
    StreamName(std::string_view name) : StreamName(std::string(name)) {}
    StreamName(const char* name) : StreamName(std::string(name)) {}

    const std::string& str() const noexcept { return name_; }
    std::string_view category() const noexcept { return category_of(name_); }
    std::string_view id() const noexcept;

    /// True for the streams of the category `saga`, the journals of sagas. Programs may read them.
    /// An append by a program throws InvalidError, because a foreign event could destroy the state
    /// of the saga.
    bool is_reserved() const noexcept { return category() == "saga"; }

    /// The part of `name` before the first `-`.
    static std::string_view category_of(std::string_view name) noexcept {
        return name.substr(0, name.find('-'));
    }

    auto operator<=>(const StreamName&) const = default;

private:
    std::string name_;
};

}  // namespace daybook
