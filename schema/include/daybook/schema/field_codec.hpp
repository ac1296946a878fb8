#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/schema/fields.hpp"
#include "daybook/schema/json_reader.hpp"
#include "daybook/schema/json_writer.hpp"

// Encodes and decodes structs with `fields()`. The templates only translate types; JsonWriter and
// JsonReader, which are compiled, write and read the text.

namespace daybook::detail {

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_a<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool is_text_map = false;
template <class Value>
inline constexpr bool is_text_map<std::map<std::string, Value>> = true;

// Character types do not count as numbers.
template <class T>
concept Whole = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

template <class T>
inline constexpr bool not_encodable = false;

// The text `,"name":` of a field, for JsonWriter::ready_key.
template <HasFields T, std::size_t I>
inline constexpr auto ready_key = [] {
    constexpr std::string_view name = std::get<I>(T::fields()).name;
    std::array<char, name.size() + 4> text{',', '"'};
    std::copy(name.begin(), name.end(), text.begin() + 2);
    text[name.size() + 2] = '"';
    text[name.size() + 3] = ':';
    return text;
}();

template <class T>
void write_value(JsonWriter& json, const T& value);

template <std::size_t I, HasFields T>
void write_field(JsonWriter& json, const T& object) {
    const auto& member = object.*(std::get<I>(T::fields()).member);
    if constexpr (is_a<std::remove_cvref_t<decltype(member)>, std::optional>) {
        if (!member) return;
    }
    json.ready_key({ready_key<T, I>.data(), ready_key<T, I>.size()});
    write_value(json, member);
}

template <HasFields T, std::size_t... I>
void write_fields(JsonWriter& json, const T& object, std::index_sequence<I...>) {
    (write_field<I>(json, object), ...);
}

template <class T>
void write_value(JsonWriter& json, const T& value) {
    if constexpr (std::same_as<T, bool> || Whole<T> || Real<T> || std::same_as<T, std::string> ||
                  std::same_as<T, EventId> || std::same_as<T, Timestamp>) {
        json.value(value);
    } else if constexpr (std::same_as<T, StreamName>) {
        json.value(value.str());
    } else if constexpr (std::is_enum_v<T>) {
        json.value(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (is_a<T, Ordinal>) {
        json.value(value.value());
    } else if constexpr (is_a<T, std::optional>) {
        value ? write_value(json, *value) : json.null();
    } else if constexpr (is_a<T, std::vector>) {
        json.begin_array();
        for (const typename T::value_type& element : value) write_value(json, element);
        json.end_array();
    } else if constexpr (is_text_map<T>) {
        json.begin_object();
        for (const auto& [key, element] : value) {
            json.key(key);
            write_value(json, element);
        }
        json.end_object();
    } else if constexpr (HasFields<T>) {
        json.begin_object();
        write_fields(json, value, std::make_index_sequence<field_count<T>>{});
        json.end_object();
    } else {
        static_assert(not_encodable<T>,
                      "a member of this type has no JSON form: use bool, whole numbers, double, "
                      "std::string, EventId, Timestamp, StreamName, an enum, std::optional, "
                      "std::vector, std::map<std::string, X>, or a struct with fields()");
    }
}

template <class T>
T make_empty() {
    if constexpr (std::same_as<T, StreamName>) {
        return StreamName{"unknown"};
    } else {
        return T{};
    }
}

template <class T>
void read_value(JsonReader& json, T& value);

template <HasFields T, std::size_t I>
constexpr FieldSlot make_slot() {
    constexpr auto field = std::get<I>(T::fields());
    using Member = std::remove_reference_t<decltype(std::declval<T&>().*(field.member))>;
    FieldSlot slot{field.name,
                   [](JsonReader& json, void* object) {
                       constexpr auto own = std::get<I>(T::fields());
                       read_value(json, static_cast<T*>(object)->*(own.member));
                   },
                   nullptr};
    if constexpr (is_a<Member, std::optional>) {
        slot.clear = [](void* object) {
            constexpr auto own = std::get<I>(T::fields());
            (static_cast<T*>(object)->*(own.member)).reset();
        };
    }
    return slot;
}

template <HasFields T>
inline constexpr std::array<FieldSlot, field_count<T>> field_slots =
    []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<FieldSlot, field_count<T>>{make_slot<T, I>()...};
    }(std::make_index_sequence<field_count<T>>{});

template <Whole T>
T read_whole(JsonReader& json) {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::unsigned_integral<T>) {
        return static_cast<T>(json.natural(Limits::max()));
    } else {
        return static_cast<T>(json.integer(Limits::min(), Limits::max()));
    }
}

EventId read_event_id(JsonReader& json);
Timestamp read_timestamp(JsonReader& json);
StreamName read_stream_name(JsonReader& json);
float read_float(JsonReader& json);

template <class T>
void read_value(JsonReader& json, T& value) {
    if constexpr (std::same_as<T, bool>) {
        value = json.boolean();
    } else if constexpr (Whole<T>) {
        value = read_whole<T>(json);
    } else if constexpr (std::same_as<T, double>) {
        value = json.number();
    } else if constexpr (std::same_as<T, float>) {
        value = read_float(json);
    } else if constexpr (std::same_as<T, std::string>) {
        value = json.text();
    } else if constexpr (std::same_as<T, EventId>) {
        value = read_event_id(json);
    } else if constexpr (std::same_as<T, Timestamp>) {
        value = read_timestamp(json);
    } else if constexpr (std::same_as<T, StreamName>) {
        value = read_stream_name(json);
    } else if constexpr (std::is_enum_v<T>) {
        value = static_cast<T>(read_whole<std::underlying_type_t<T>>(json));
    } else if constexpr (is_a<T, Ordinal>) {
        value = T{read_whole<std::uint64_t>(json)};
    } else if constexpr (is_a<T, std::optional>) {
        if (json.take_null()) {
            value.reset();
        } else {
            read_value(json, value.emplace(make_empty<typename T::value_type>()));
        }
    } else if constexpr (is_a<T, std::vector>) {
        value.clear();
        json.elements([&] {
            auto element = make_empty<typename T::value_type>();
            read_value(json, element);
            value.push_back(std::move(element));
        });
    } else if constexpr (is_text_map<T>) {
        value.clear();
        json.members([&](std::string_view key) {
            auto element = make_empty<typename T::mapped_type>();
            read_value(json, element);
            value.insert_or_assign(std::string{key}, std::move(element));
        });
    } else {
        static_assert(HasFields<T>, "a member of this type has no JSON form");
        json.fields(field_slots<T>, &value);
    }
}

}  // namespace daybook::detail
