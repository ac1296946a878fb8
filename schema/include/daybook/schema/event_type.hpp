#pragma once

#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <string_view>

namespace daybook {

/// The stable name of an event and the version of its fields, written once in the event's struct:
///
///     struct Opened {
///         static constexpr daybook::EventType type{"account.opened", 1};
///         std::string owner;
///     };
///
/// Names are facts in the past tense; they outlive every rename of the struct. A name is 1 to
/// `name_bytes_max` bytes of letters, digits, `.`, `-`, `_` and `:`; versions start at 1.
struct EventType {
    static constexpr std::size_t name_bytes_max = 100;

    std::string_view name;
    int version = 1;

    /// A wrong constant does not compile.
    consteval EventType(std::string_view constant_name, int constant_version = 1)
        : name(constant_name), version(constant_version) {
        if (!is_valid(name, version)) throw std::invalid_argument("not an event type");
    }

    /// For names that are read at run time. Throws InvalidError. The name must outlive the
    /// EventType.
    static EventType checked(std::string_view name, int version);

    static constexpr bool is_valid(std::string_view name, int version) noexcept {
        if (name.empty() || name.size() > name_bytes_max || version < 1) return false;
        for (const char c : name) {
            const bool word =
                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!word && c != '.' && c != '-' && c != '_' && c != ':') return false;
        }
        return true;
    }

    constexpr bool operator==(const EventType&) const noexcept = default;

private:
    struct Unchecked {};
    constexpr EventType(std::string_view valid_name, int valid_version, Unchecked) noexcept
        : name(valid_name), version(valid_version) {}
};

/// A struct with an EventType: an event, or a message.
template <class T>
concept Event = requires {
    { T::type } -> std::convertible_to<const EventType&>;
};

/// `E` is one of `Events`.
template <class E, class... Events>
concept OneOf = (std::same_as<E, Events> || ...);

}  // namespace daybook
