#include "daybook/schema/json_reader.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using daybook::CorruptError;
using daybook::JsonReader;

namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

// The keys of an object and the texts of its values.
Members raw_members(std::string_view text) {
    Members members;
    JsonReader::read(text, "object", [&](JsonReader& json) {
        json.members([&](std::string_view key) { members.emplace_back(key, json.raw()); });
    });
    return members;
}

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

TEST_CASE("an element out of range is named by its index") {
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

TEST_CASE("what the visitor does not read is skipped") {
    int seen = 0;
    JsonReader::read(R"({"a":[1,{"b":2}],"c":{"d":[]},"e":"f"})", "outer",
                     [&](JsonReader& json) { json.members([&](std::string_view) { ++seen; }); });
    CHECK(seen == 3);
}

TEST_CASE("a root that is no container is refused by every access") {
    const auto refused = [](auto access) {
        CHECK_THROWS_AS(JsonReader::read("5", "number", access), CorruptError);
        CHECK_THROWS_AS(JsonReader::read("\"x\"", "text", access), CorruptError);
        CHECK_THROWS_AS(JsonReader::read("null", "null", access), CorruptError);
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

TEST_CASE("the members of an object are given as they stand in the text") {
    CHECK(
        raw_members(R"( {"a" : 1.10 ,"b\n":{"x":"}\"","y":[1,{}]},"c":[ ] , "d":"e,\\"} )") ==
        Members{
            {"a", "1.10"}, {"b\n", R"({"x":"}\"","y":[1,{}]})"}, {"c", "[ ]"}, {"d", R"("e,\\")"}});
    CHECK(raw_members("{ }").empty());
    CHECK(raw_members(R"({"a":{},"b":[],"c":{ "d" : { } } })") ==
          Members{{"a", "{}"}, {"b", "[]"}, {"c", R"({ "d" : { } })"}});
    CHECK(raw_members("{\"a\":[1,\r\n\t2]\n,\"b\":null\n}") ==
          Members{{"a", "[1,\r\n\t2]"}, {"b", "null"}});
}

TEST_CASE("the text of a number keeps every digit of it") {
    for (const std::string number : {"-0", "1.10", "0.10000000000000000000000000000000000001",
                                     "1e400", "123456789012345678901234567890", "1E+2"}) {
        CHECK(raw_members("{\"n\":" + number + "}") == Members{{"n", number}});
    }
}

TEST_CASE("the text of a value keeps its escapes, and its key has none") {
    CHECK(raw_members(R"({"d\u0061ta":"\u0061\/","\u0000\"\\":"\ud83d\ude00","é":"é"})") ==
          Members{{"data", R"("\u0061\/")"},
                  {std::string("\0\"\\", 3), R"("\ud83d\ude00")"},
                  {"é", R"("é")"}});
}

TEST_CASE("a key that stands twice is given twice") {
    CHECK(raw_members(R"({"data":1,"d\u0061ta":2,"in":{"a":1,"a":2}})") ==
          Members{{"data", "1"}, {"data", "2"}, {"in", R"({"a":1,"a":2})"}});
}

TEST_CASE("the text of a value lies in the text of the caller and outlives the reading") {
    const std::string text = R"( {"a":[1, 2],"b":"x"})";
    std::vector<std::string_view> values;
    JsonReader::read(text, "object", [&](JsonReader& json) {
        json.members([&](std::string_view) { values.push_back(json.raw()); });
    });
    REQUIRE(values.size() == 2);
    CHECK(values[0].data() == text.data() + text.find('['));
    CHECK(values[0] == "[1, 2]");
    CHECK(values[1].data() == text.data() + text.find("\"x"));
    CHECK(values[1] == "\"x\"");
}

TEST_CASE("a root and the elements of a list are given as they stand") {
    const auto root = [](std::string_view text) {
        std::string raw;
        JsonReader::read(text, "root", [&](JsonReader& json) { raw = json.raw(); });
        return raw;
    };
    CHECK(root(" [ 1 , 2 ] ") == "[ 1 , 2 ]");
    CHECK(root("\n{\"a\" : [ ] }") == "{\"a\" : [ ] }");
    CHECK_THROWS_AS(root("[1] 2"), CorruptError);
    std::vector<std::string> elements;
    JsonReader::read(R"([[], {"a":1} ,2 , "x"])", "list", [&](JsonReader& json) {
        json.elements([&] { elements.emplace_back(json.raw()); });
    });
    CHECK(elements == std::vector<std::string>{"[]", R"({"a":1})", "2", R"("x")"});
}

TEST_CASE("the text of a value may be as deep as JSON may be, and as long") {
    const std::size_t depth = daybook::json_depth_max - 1;
    const std::string deep = std::string(depth, '[') + std::string(depth, ']');
    REQUIRE(daybook::is_json_object("{\"a\":" + deep + "}"));
    CHECK(raw_members("{\"a\":" + deep + ",\"b\":1}") == Members{{"a", deep}, {"b", "1"}});
    const std::string great = '"' + std::string(3'000'000, 'x') + '"';
    CHECK(raw_members("{\"a\":" + great + ",\"b\":1}") == Members{{"a", great}, {"b", "1"}});
}

TEST_CASE("what is no object has no members, and a broken one is refused") {
    for (const std::string_view text :
         {R"([])", R"("{}")", R"(null)", R"({)", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":"x)",
          R"({"a":[1,{"b":2})", R"({"a":1}})", R"({"a":1} {})", R"({"a" 1})", R"({a:1})",
          R"({1:1})", "\xef\xbb\xbf{\"a\":1}", ""}) {
        CAPTURE(text);
        CHECK_THROWS_AS(raw_members(text), CorruptError);
    }
}
