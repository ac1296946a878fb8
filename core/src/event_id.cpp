#include "daybook/core/event_id.hpp"

#include <algorithm>
#include <chrono>

#include "daybook/core/error.hpp"
#include "random.hpp"
#include "sha256.hpp"

// A version 7 id, from the most significant bit (RFC 9562, section 6.2, method 1):
//
//     48 bits   milliseconds since 1970
//      4 bits   version, 0111
//     12 bits   counter, high part  ┐ 26 bits; starts in each millisecond at a
//      2 bits   variant, 10         │ random number below half its range
//     14 bits   counter, low part   ┘
//     48 bits   random

namespace daybook {
namespace {

constexpr int counter_bits = 26;
constexpr std::uint64_t counter_max = (std::uint64_t{1} << counter_bits) - 1;
constexpr std::uint64_t random_mask = (std::uint64_t{1} << 48) - 1;
constexpr std::size_t text_size = 36;

struct Sequence {
    std::uint64_t milliseconds = 0;
    std::uint64_t counter = 0;
};
constinit thread_local Sequence sequence;

std::uint64_t milliseconds_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void write_big_endian(std::uint64_t value, std::uint8_t* out) noexcept {
    for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<std::uint8_t>(value >> shift);
}

constexpr bool is_dash(std::size_t index) noexcept {
    return index == 8 || index == 13 || index == 18 || index == 23;
}

// -1 for a character that is no hexadecimal digit.
constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

EventId EventId::generate() {
    const std::uint64_t random = detail::random_bits();
    Sequence& own = sequence;
    const std::uint64_t now = milliseconds_now();
    // If the clock was set back, the ids keep the last time, so that they still grow.
    if (now > own.milliseconds) {
        own = {now, detail::random_bits() >> (64 - (counter_bits - 1))};
    } else if (++own.counter > counter_max) {
        own = {own.milliseconds + 1, 0};
    }

    const std::uint64_t high = (own.milliseconds << 16) | 0x7000 | (own.counter >> 14);
    const std::uint64_t low =
        (std::uint64_t{2} << 62) | ((own.counter & 0x3FFF) << 48) | (random & random_mask);
    Bytes bytes;
    write_big_endian(high, bytes.data());
    write_big_endian(low, bytes.data() + 8);
    return EventId{bytes};
}

EventId EventId::from_name(std::string_view name) {
    const detail::Sha256 digest = detail::sha256(name);
    Bytes bytes;
    std::copy_n(digest.begin(), size, bytes.begin());
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x80);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
    return EventId{bytes};
}

std::optional<EventId> EventId::try_parse(std::string_view text) noexcept {
    if (text.size() != text_size) return std::nullopt;
    Bytes bytes;
    std::size_t filled = 0;
    for (std::size_t i = 0; i < text_size;) {
        if (is_dash(i)) {
            if (text[i] != '-') return std::nullopt;
            ++i;
            continue;
        }
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes[filled++] = static_cast<std::uint8_t>(high * 16 + low);
        i += 2;
    }
    return EventId{bytes};
}

EventId EventId::parse(std::string_view text) {
    if (const auto id = try_parse(text)) return *id;
    throw InvalidError("event id '" + std::string(text.substr(0, 2 * text_size)) +
                       "': write it as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, in hexadecimal");
}

std::string EventId::to_string() const {
    std::string text(text_size, '-');
    char* out = text.data();
    const std::uint8_t* from = bytes_.data();
    constexpr std::size_t groups[] = {4, 2, 2, 2, 6};
    for (const std::size_t count : groups) {
        out = detail::write_hex(from, count, out) + 1;
        from += count;
    }
    return text;
}

}  // namespace daybook
