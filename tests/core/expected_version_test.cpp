#include "daybook/core/expected_version.hpp"

#include <type_traits>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using daybook::at_version;
using daybook::ExpectedVersion;
using daybook::Position;
using daybook::Version;

TEST_CASE("each expectation admits just the streams it names") {
    CHECK(daybook::any_version.admits(0));
    CHECK(daybook::any_version.admits(7));
    CHECK(daybook::no_stream.admits(0));
    CHECK_FALSE(daybook::no_stream.admits(1));
    CHECK(daybook::stream_exists.admits(1));
    CHECK_FALSE(daybook::stream_exists.admits(0));
    CHECK(at_version(2).admits(2));
    CHECK_FALSE(at_version(2).admits(3));
    CHECK(at_version(0) == daybook::no_stream);
}

TEST_CASE("an expectation comes back from its text") {
    for (const auto& expected :
         {daybook::any_version, daybook::no_stream, daybook::stream_exists, at_version(42)}) {
        CHECK(ExpectedVersion::parse(expected.to_string()) == expected);
    }
    CHECK(ExpectedVersion::parse("0") == daybook::no_stream);
    CHECK(ExpectedVersion::parse("18446744073709551615").version().value() == ~std::uint64_t{0});
}

TEST_CASE("an unknown expectation is refused") {
    for (const char* text :
         {"", "Any", "some", "-1", "+1", " 1", "1 ", "1x", "0x1", "1.0", "18446744073709551616"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(ExpectedVersion::parse(text), daybook::InvalidError);
    }
}

TEST_CASE("positions and versions cannot be mixed up") {
    static_assert(!std::is_convertible_v<Position, Version>);
    static_assert(!std::is_constructible_v<Version, Position>);
    CHECK(Position{1}.next() == Position{2});
    CHECK(Version{1} < Version{2});
}
