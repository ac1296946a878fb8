#include "daybook/schema/event_type.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using daybook::EventType;

TEST_CASE("names known at run time keep the rules of constants") {
    constexpr EventType constant{"account.opened", 2};
    CHECK(EventType::checked("account.opened", 2) == constant);
    const std::string longest(EventType::name_bytes_max, 'a');
    CHECK_NOTHROW(EventType::checked(longest, 1));
    for (const std::string& name :
         {std::string{}, longest + "a", std::string{"two words"}, std::string{"größe"},
          std::string{"a\n"}, std::string{"a/b"}, std::string{"a\0b", 3}}) {
        CAPTURE(name);
        CHECK_THROWS_AS(EventType::checked(name, 1), daybook::InvalidError);
    }
    CHECK_THROWS_AS(EventType::checked("a", 0), daybook::InvalidError);
    CHECK_THROWS_AS(EventType::checked("a", -1), daybook::InvalidError);
}

TEST_CASE("the error names the event type without raw bytes in it") {
    try {
        EventType::checked("bad\x1B name", 3);
        FAIL("was accepted");
    } catch (const daybook::InvalidError& error) {
        const std::string_view text = error.what();
        CHECK(text.starts_with("event type 'bad? name' version 3"));
    }
}
