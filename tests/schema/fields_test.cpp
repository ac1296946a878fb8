#include "daybook/schema/fields.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

namespace {

struct Summary {
    std::string order;
    std::int64_t cents = 0;
    static constexpr auto fields() {
        return daybook::fields("order_id", &Summary::order, "cents", &Summary::cents);
    }
};

struct Base {
    int number = 0;
};
struct Derived : Base {
    static constexpr auto fields() { return daybook::fields("number", &Derived::number); }
};

}  // namespace

TEST_CASE("the names of fields are known at compile time in their order") {
    constexpr auto names = daybook::field_names<Summary>();
    static_assert(names.size() == 2);
    static_assert(names[0] == "order_id");
    static_assert(names[1] == "cents");
    static_assert(daybook::HasFields<Summary>);
    static_assert(!daybook::HasFields<Base>);
}

TEST_CASE("a visitor sees each field once and may change it") {
    Summary summary{"order-1", 5};
    daybook::for_each_field(summary, []<class T>(std::string_view, T& member) {
        if constexpr (std::is_same_v<T, std::int64_t>) member *= 2;
    });
    std::string seen;
    const Summary& constant = summary;
    daybook::for_each_field(constant, [&](std::string_view name, const auto& member) {
        if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::string>) {
            seen.append(name).append("=").append(member).append(" ");
        } else {
            seen.append(name).append("=").append(std::to_string(member)).append(" ");
        }
    });
    CHECK(seen == "order_id=order-1 cents=10 ");
}

TEST_CASE("inherited members can be fields") {
    Derived derived;
    daybook::for_each_field(derived, [](std::string_view, int& member) { member = 7; });
    CHECK(derived.number == 7);
}

TEST_CASE("names that would need escaping are no names of fields") {
    using daybook::detail::is_field_name;
    CHECK(is_field_name("order_id"));
    CHECK(is_field_name("order-id.v2"));
    CHECK_FALSE(is_field_name(""));
    CHECK_FALSE(is_field_name("two words"));
    CHECK_FALSE(is_field_name("qu\"ote"));
    CHECK_FALSE(is_field_name("back\\slash"));
    CHECK_FALSE(is_field_name("größe"));
    CHECK_FALSE(is_field_name("line\n"));
}
