#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook {

/// The id of an event or a message: 16 bytes, a UUID version 7 (RFC 9562). Ids sort in the order in
/// which they were generated; within a thread strictly.
class EventId {
public:
    static constexpr std::size_t size = 16;
    using Bytes = std::array<std::uint8_t, size>;

    /// The nil id, which no event has.
    constexpr EventId() noexcept = default;
    explicit constexpr EventId(const Bytes& bytes) noexcept : bytes_(bytes) {}

    /// A new id. Thread-safe, and safe in the child after a fork.
    static EventId generate();

    /// The same id for the same name, always (a name-based UUID, version 8 over SHA-256): the
    /// idempotency key of something that may be attempted again.
    static EventId from_name(std::string_view name);

    /// Parses `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; throws InvalidError on anything else.
    static EventId parse(std::string_view text);
    static std::optional<EventId> try_parse(std::string_view text) noexcept;

    std::string to_string() const;
    constexpr const Bytes& bytes() const noexcept { return bytes_; }
    constexpr bool is_nil() const noexcept { return *this == EventId{}; }

    constexpr auto operator<=>(const EventId&) const noexcept = default;

private:
    Bytes bytes_{};
};

}  // namespace daybook
