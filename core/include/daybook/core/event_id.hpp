#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook {

/// The identity of an event or a message: 16 bytes, made as UUID version 7 (RFC 9562), so that
/// ids made later sort later, within a thread strictly.
class EventId {
public:
    static constexpr std::size_t size = 16;
    using Bytes = std::array<std::uint8_t, size>;

    /// The nil id: no event has it.
    constexpr EventId() noexcept = default;
    explicit constexpr EventId(const Bytes& bytes) noexcept : bytes_(bytes) {}

    /// A new id. Thread-safe, and safe in the child after a fork.
    static EventId generate();

    /// The same id for the same name, always (a name-based UUID, version 8 over SHA-256): the
    /// idempotency key of something that may be attempted again.
    static EventId from_name(std::string_view name);

    /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; throws InvalidError on anything else.
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
