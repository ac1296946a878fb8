#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/sql.hpp"

// Encodes and decodes values in the server's binary format: integers with the most significant byte
// first. (PostgreSQL manual, "Formats and Format Codes"; src/include/catalog/pg_type.dat for the
// oids of the types.)

namespace daybook::postgres {

namespace type {
inline constexpr Oid any = 0;  ///< the server infers it
inline constexpr Oid boolean = 16;
inline constexpr Oid bytea = 17;
inline constexpr Oid int8 = 20;
inline constexpr Oid int2 = 21;
inline constexpr Oid int4 = 23;
inline constexpr Oid text = 25;
inline constexpr Oid name = 19;
inline constexpr Oid oid = 26;
inline constexpr Oid unknown = 705;
inline constexpr Oid bpchar = 1042;
inline constexpr Oid varchar = 1043;
inline constexpr Oid float4 = 700;
inline constexpr Oid float8 = 701;
inline constexpr Oid numeric = 1700;
inline constexpr Oid uuid = 2950;
inline constexpr Oid int4_array = 1007;
inline constexpr Oid text_array = 1009;
inline constexpr Oid int8_array = 1016;
inline constexpr Oid uuid_array = 2951;
inline constexpr Oid first_of_users = 16384;  ///< types of users and extensions begin here
}  // namespace type

template <class Integer>
void put_integer(std::string& out, Integer value) {
    auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
    char bytes[sizeof(Integer)];
    for (std::size_t i = sizeof(Integer); i-- > 0;) {
        bytes[i] = static_cast<char>(bits & 0xffU);
        bits = static_cast<decltype(bits)>(sizeof(Integer) == 1 ? 0 : bits >> 8U);
    }
    out.append(bytes, sizeof bytes);
}

template <class Integer>
Integer get_integer(const char* bytes) noexcept {
    std::make_unsigned_t<Integer> bits{};
    std::memcpy(&bits, bytes, sizeof bits);
    if constexpr (sizeof bits == 8) {
        bits = __builtin_bswap64(bits);
    } else {
        bits = __builtin_bswap32(bits);
    }
    return static_cast<Integer>(bits);
}

/// Builds a one-dimensional array element by element.
class Array {
public:
    explicit Array(Oid element) : element_(element) { clear(); }

    void clear() {
        bytes_.clear();
        put_integer(bytes_, std::int32_t{1});  // dimensions
        put_integer(bytes_, std::int32_t{1});  // may hold NULL
        put_integer(bytes_, static_cast<std::int32_t>(element_));
        put_integer(bytes_, std::int32_t{0});  // length: see value()
        put_integer(bytes_, std::int32_t{1});  // lower bound
        count_ = 0;
    }
    void add(std::int64_t value) {
        next(sizeof value);
        put_integer(bytes_, value);
    }
    void add(std::int32_t value) {
        next(sizeof value);
        put_integer(bytes_, value);
    }
    void add(std::string_view text) {
        next(text.size());
        bytes_ += text;
    }
    void add(const EventId& id) {
        next(EventId::size);
        bytes_.append(reinterpret_cast<const char*>(id.bytes().data()), EventId::size);
    }
    void add_null() {
        put_integer(bytes_, std::int32_t{-1});
        ++count_;
    }
    /// The encoded array. Valid until the next change.
    std::string_view value() {
        std::string length;
        put_integer(length, count_);
        bytes_.replace(12, length.size(), length);
        return bytes_;
    }
    std::int32_t size() const noexcept { return count_; }

private:
    void next(std::size_t size) {
        put_integer(bytes_, static_cast<std::int32_t>(size));
        ++count_;
    }

    Oid element_;
    std::string bytes_;
    std::int32_t count_ = 0;
};

/// The elements of a one-dimensional array of integers, 0 for NULL.
template <class Integer>
std::vector<Integer> elements_of(std::string_view array) {
    constexpr std::size_t header = 20;
    std::vector<Integer> elements;
    for (std::size_t at = header; at < array.size();) {
        const auto size = get_integer<std::int32_t>(array.data() + at);
        at += sizeof size;
        elements.push_back(size < 0 ? Integer{} : get_integer<Integer>(array.data() + at));
        if (size > 0) at += sizeof(Integer);
    }
    return elements;
}

/// The parameters of one statement. Texts, bytes and arrays are borrowed, and have to live until
/// the statement is sent.
class Parameters {
public:
    Parameters& add(std::int64_t value);
    Parameters& add_text(std::string_view value) { return add_binary(value, type::text); }
    Parameters& add_text(std::string&& gone_before_it_is_sent) = delete;
    Parameters& add_binary(std::string_view value, Oid type);
    Parameters& add(Array& array, Oid type) { return add_binary(array.value(), type); }
    Parameters& add(const EventId& id);
    Parameters& add_null(Oid type) { return add(Slot{nullptr, 0, true}, 0, type, 1); }
    /// Integers and reals are sent as text with their type; the server infers the type of a text,
    /// of bytes and of NULL. Only bytes are borrowed.
    Parameters& add(const SqlValue& value);

    int size() const noexcept { return static_cast<int>(types_.size()); }
    const Oid* types() const noexcept { return types_.data(); }
    const int* formats() const noexcept { return formats_.data(); }
    const int* lengths() const noexcept { return lengths_.data(); }
    /// Valid until the next change.
    const char* const* values();

private:
    /// Where the bytes of one parameter are.
    struct Slot {
        const char* borrowed;
        std::size_t own;  ///< offset in own_ if nothing is borrowed
        bool null;
    };
    Parameters& add(Slot slot, std::size_t size, Oid type, int format);
    Parameters& add_own(std::string_view value, Oid type, int format);

    std::vector<Oid> types_;
    std::vector<int> formats_;
    std::vector<int> lengths_;
    std::vector<Slot> slots_;
    std::vector<const char*> values_;
    std::string own_;
};

}  // namespace daybook::postgres
