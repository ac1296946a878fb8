#include "daybook/schema/json_reader.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using daybook::CorruptError;
using daybook::JsonReader;

namespace {

std::int64_t sum_of(std::string_view text) {
    std::int64_t sum = 0;
    JsonReader::read(text, "amounts", [&](JsonReader& json) {
        json.elements([&] { sum += json.integer(0, 1'000'000); });
    });
    return sum;
}

}  // namespace

TEST_CASE("a list at the root is walked through") {
    CHECK(sum_of("[1, 20, 300]") == 321);
    CHECK(sum_of("[]") == 0);
}

TEST_CASE("an element out of range is named by its place") {
    try {
        sum_of("[1,2,1000001]");
        FAIL("was accepted");
    } catch (const CorruptError& error) {
        const std::string_view text = error.what();
        CHECK(text.find("'amounts', field '[2]'") != text.npos);
        CHECK(text.find("from 0 to 1000000") != text.npos);
    }
}

TEST_CASE("a reading inside a reading does not disturb the outer one") {
    std::vector<std::string> keys;
    std::int64_t sum = 0;
    JsonReader::read(R"({"a":"[1,2]","b":"[3]"})", "outer", [&](JsonReader& json) {
        json.members([&](std::string_view key) {
            sum += sum_of(json.text());
            keys.emplace_back(key);
        });
    });
    CHECK(sum == 6);
    CHECK(keys == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what the visitor does not ask for is skipped") {
    int seen = 0;
    JsonReader::read(R"({"a":[1,{"b":2}],"c":{"d":[]},"e":"f"})", "outer",
                     [&](JsonReader& json) { json.members([&](std::string_view) { ++seen; }); });
    CHECK(seen == 3);
}

TEST_CASE("a root that is no container is refused by every question") {
    const auto refused = [](auto ask) {
        CHECK_THROWS_AS(JsonReader::read("5", "number", ask), CorruptError);
        CHECK_THROWS_AS(JsonReader::read("\"x\"", "text", ask), CorruptError);
        CHECK_THROWS_AS(JsonReader::read("null", "null", ask), CorruptError);
    };
    refused([](JsonReader& json) { json.integer(0, 9); });
    refused([](JsonReader& json) { json.natural(9); });
    refused([](JsonReader& json) { json.number(); });
    refused([](JsonReader& json) { json.boolean(); });
    refused([](JsonReader& json) { json.text(); });
    refused([](JsonReader& json) { json.elements([] {}); });
    refused([](JsonReader& json) { json.members([](std::string_view) {}); });
}

TEST_CASE("an error of the visitor's own passes through") {
    CHECK_THROWS_AS(JsonReader::read("[1]", "amounts",
                                     [](JsonReader& json) { json.elements([] { throw 5; }); }),
                    int);
    CHECK(sum_of("[7]") == 7);
}
