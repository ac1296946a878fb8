#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace daybook {

/// A member of a struct and its name in JSON and SQL.
template <class Owner, class Member>
struct Field {
    std::string_view name;
    Member Owner::* member;
};

/// The most fields of a struct.
inline constexpr std::size_t fields_max = 64;

namespace detail {

constexpr bool is_field_name(std::string_view name) noexcept {
    for (const char c : name) {
        const bool plain = c > 0x20 && c < 0x7F && c != '"' && c != '\\';
        if (!plain) return false;
    }
    return !name.empty();
}

template <class Owner, class Member>
consteval Field<Owner, Member> make_field(std::string_view name, Member Owner::* member) {
    if (!is_field_name(name)) throw std::invalid_argument("not a field name");
    return {name, member};
}

template <class Tuple, std::size_t... I>
consteval auto pair_up(const Tuple& flat, std::index_sequence<I...>) {
    const std::array<std::string_view, sizeof...(I)> names{std::get<2 * I>(flat)...};
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (names[i] == names[j]) throw std::invalid_argument("two fields of one name");
        }
    }
    return std::tuple{make_field(std::get<2 * I>(flat), std::get<2 * I + 1>(flat))...};
}

}  // namespace detail

/// Describes the members of a struct for the JSON codec and for tables of read models. Names are
/// printable ASCII without blanks, quotes and backslashes, each used once; a wrong one does not
/// compile.
///
///     struct Deposited {
///         static constexpr daybook::EventType type{"account.deposited", 1};
///         std::int64_t cents = 0;
///         std::optional<std::string> note;
///         static constexpr auto fields() {
///             return daybook::fields("cents", &Deposited::cents, "note", &Deposited::note);
///         }
///     };
template <class... NamesAndMembers>
consteval auto fields(NamesAndMembers... names_and_members) {
    constexpr std::size_t count = sizeof...(NamesAndMembers);
    static_assert(count % 2 == 0, "fields() takes pairs: a name, a member, a name, a member");
    static_assert(count / 2 <= fields_max, "a struct has at most 64 fields");
    return detail::pair_up(std::tuple{names_and_members...}, std::make_index_sequence<count / 2>{});
}

/// A struct that describes its members with `fields()`.
template <class T>
concept HasFields = requires { T::fields(); };

/// How many fields `T` has.
template <HasFields T>
inline constexpr std::size_t field_count = std::tuple_size_v<decltype(T::fields())>;

/// The names of `T`'s fields, in the order of their declaration, at compile time.
template <HasFields T>
consteval std::array<std::string_view, field_count<T>> field_names() {
    return std::apply(
        [](const auto&... field) {
            return std::array<std::string_view, field_count<T>>{field.name...};
        },
        T::fields());
}

/// Calls `visit(name, member)` for each field of `value`, in the order of their declaration.
template <class T, class Visit>
    requires HasFields<std::remove_const_t<T>>
constexpr void for_each_field(T& value, Visit&& visit) {
    std::apply([&](const auto&... field) { (visit(field.name, value.*(field.member)), ...); },
               std::remove_const_t<T>::fields());
}

}  // namespace daybook
