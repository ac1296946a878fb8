#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <nlohmann/json_fwd.hpp>

#include "daybook/schema/event_type.hpp"
#include "daybook/schema/field_codec.hpp"
#include "daybook/schema/fields.hpp"

namespace daybook {

namespace detail {

/// The name of a C++ type as in the source.
template <class T>
constexpr std::string_view cpp_name() noexcept {
    constexpr std::string_view spelled = __PRETTY_FUNCTION__;
    constexpr auto begin = spelled.find("T = ") + 4;
    return spelled.substr(begin, spelled.find_first_of(";]", begin) - begin);
}

/// How error texts name a value of type `T`: by the event's name if it has one.
template <class T>
constexpr std::string_view subject_of() noexcept {
    if constexpr (Event<T>) {
        return T::type.name;
    } else {
        return cpp_name<T>();
    }
}

/// The compiled part for DOMs. Appends the text of `dom`; throws InvalidError for a value that JSON
/// cannot hold.
void append_dom(const nlohmann::json& dom, std::string& out, std::string_view subject);
/// Parses; throws CorruptError.
nlohmann::json parse_dom(std::string_view text, std::string_view subject);
[[noreturn]] void fail_dom(std::string_view subject, std::string_view reason);

// `Json` is always nlohmann::json. As a template's parameter it may be incomplete until a codec is
// used, so that only sources that use it include its header.
template <class T, class Json = nlohmann::json>
concept JsonIncluded = requires { sizeof(Json); };

template <class T, class Json = nlohmann::json>
concept DomEncodable = requires(const T& value) { Json(value); };

template <class T, class Json = nlohmann::json>
concept DomDecodable = requires(const Json& dom, T& value) { dom.get_to(value); };

template <class T, class Json = nlohmann::json>
struct DomCodec {
    static_assert(JsonIncluded<T, Json>,
                  "this struct has no fields(): give it one, or include <nlohmann/json.hpp> and "
                  "describe it with NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE");

    static void encode(const T& value, std::string& out) {
        static_assert(DomEncodable<T, Json>,
                      "this struct cannot become JSON: describe it with fields() or with "
                      "NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE, before it is used");
        append_dom(Json(value), out, subject_of<T>());
    }
    static void decode(std::string_view text, T& value) {
        static_assert(DomDecodable<T, Json>,
                      "this struct cannot be read from JSON: describe it with fields() or with "
                      "NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE, before it is used");
        const Json dom = parse_dom(text, subject_of<T>());
        try {
            dom.get_to(value);
        } catch (const typename Json::exception& error) {
            fail_dom(subject_of<T>(), error.what());
        }
    }
};

}  // namespace detail

/// Turns a struct into JSON text and back. There are two ways to describe a struct:
///
/// - `NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Opened, owner)`, or `to_json` and `from_json` by hand,
///   with <nlohmann/json.hpp> included: the shortest way;
/// - a static `fields()` (see fields.hpp): several times faster, because no tree is built, and it
///   checks ranges. Members may be bool, whole numbers, float, double, std::string, EventId,
///   Timestamp, StreamName, Position, Version, enums (as whole numbers), std::optional,
///   std::vector, std::map<std::string, X> and structs with `fields()`.
///
/// If a struct has both, `fields()` is used. Specialise Codec for a format of your own. All
/// functions are thread-safe.
template <class T>
struct Codec {
    /// Appends JSON. An empty optional field is left out. Throws InvalidError for a value that JSON
    /// cannot hold: a number that is not finite, text that is not UTF-8; `out` is unchanged then.
    static void encode(const T& value, std::string& out) {
        if constexpr (HasFields<T>) {
            JsonWriter json{out, detail::subject_of<T>()};
            detail::write_value(json, value);
        } else {
            detail::DomCodec<T>::encode(value, out);
        }
    }

    /// Overwrites `value`. Unknown keys are skipped; a missing optional field is empty. If the text
    /// does not fit, throws CorruptError, which names the event (or struct), the field and the
    /// reason; part of `value` may be overwritten then.
    static void decode(std::string_view json, T& value) {
        if constexpr (HasFields<T>) {
            JsonReader::read(json, detail::subject_of<T>(),
                             [&](JsonReader& reader) { detail::read_value(reader, value); });
        } else {
            detail::DomCodec<T>::decode(json, value);
        }
    }
};

}  // namespace daybook
