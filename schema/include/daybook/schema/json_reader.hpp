#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "daybook/schema/is_json.hpp"

namespace daybook {

namespace detail {
struct JsonCursor;
struct FieldSlot;
}  // namespace detail

/// Reads JSON text from front to back without building a tree. It is always before one value, which
/// the caller reads once with the function for its type. Values that are not read are skipped and
/// not fully checked. Each mismatch throws CorruptError with the subject, the path to the value and
/// the reason.
///
///     std::int64_t sum = 0;
///     JsonReader::read(text, "amounts", [&](JsonReader& json) {
///         json.elements([&] { sum += json.integer(0, 1'000'000); });
///     });
///
/// Used only inside `read` and on its thread.
class JsonReader {
public:
    /// Calls `visit(reader)` with a reader before the value of `json`, which is an object or an
    /// array. `subject` is its name in error texts.
    template <class Visit>
    static void read(std::string_view json, std::string_view subject, Visit&& visit) {
        run(json, subject, {&visit, [](void* context, JsonReader& reader) {
                                (*static_cast<std::remove_reference_t<Visit>*>(context))(reader);
                            }});
    }

    JsonReader(const JsonReader&) = delete;
    JsonReader& operator=(const JsonReader&) = delete;

    bool boolean();
    std::int64_t integer(std::int64_t least, std::int64_t greatest);
    std::uint64_t natural(std::uint64_t greatest);
    double number();
    /// Valid until `read` returns.
    std::string_view text();
    /// Reads the value and returns true if it is `null`.
    bool take_null();
    /// A value of any type as it stands in the text that `read` was given, digit by digit and with
    /// the blanks inside it. Valid as long as that text. Its inside is not looked at: where the
    /// text comes from outside, `is_json` has to say first that it is whole.
    std::string_view raw();

    /// Reads an array. Calls `visit()` with the reader before each element.
    template <class Visit>
    void elements(Visit&& visit) {
        each_element({&visit, [](void* context, JsonReader&) {
                          (*static_cast<std::remove_reference_t<Visit>*>(context))();
                      }});
    }
    /// Reads an object. Calls `visit(key)` with the reader before the value of each member.
    template <class Visit>
    void members(Visit&& visit) {
        each_member({&visit, [](void* context, std::string_view key) {
                         (*static_cast<std::remove_reference_t<Visit>*>(context))(key);
                     }});
    }
    /// Reads an object into the struct that `slots` describe.
    void fields(std::span<const detail::FieldSlot> slots, void* object);

    /// Throws CorruptError with the subject and the path to the current value.
    [[noreturn]] void fail(std::string_view reason) const;

private:
    struct ValueVisitor {
        void* context;
        void (*call)(void* context, JsonReader& reader);
    };
    struct MemberVisitor {
        void* context;
        void (*call)(void* context, std::string_view key);
    };

    explicit JsonReader(detail::JsonCursor& cursor) noexcept : cursor_(cursor) {}
    static void run(std::string_view json, std::string_view subject, ValueVisitor visit);
    void each_element(ValueVisitor visit);
    void each_member(MemberVisitor visit);

    detail::JsonCursor& cursor_;
};

namespace detail {

/// How one field of a struct is read.
struct FieldSlot {
    std::string_view name;
    void (*read)(JsonReader& reader, void* object);
    /// Sets the value of a missing field; if null, the field is required.
    void (*clear)(void* object);
};

}  // namespace detail
}  // namespace daybook
