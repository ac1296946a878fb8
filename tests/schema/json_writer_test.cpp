#include "daybook/schema/json_writer.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/schema/is_json.hpp"

using daybook::JsonWriter;

TEST_CASE("commas stand between things and nowhere else") {
    std::string text;
    JsonWriter json{text};
    json.begin_object();
    json.key("a");
    json.begin_array();
    json.value(1);
    json.begin_object();
    json.end_object();
    json.begin_array();
    json.end_array();
    json.null();
    json.value(true);
    json.value("x");
    json.json("{\"raw\":1}");
    json.end_array();
    json.key("b\n");
    json.value(2.5);
    json.key("c");
    json.value(false);
    json.end_object();
    CHECK(text == R"({"a":[1,{},[],null,true,"x",{"raw":1}],"b\n":2.5,"c":false})");
    CHECK(daybook::is_json(text));
}

TEST_CASE("control characters and quotes are escaped so that every reader takes them") {
    std::string text;
    JsonWriter{text}.value(std::string_view{"\0\x01\b\t\n\f\r\x1F \"\\/\x7F", 13});
    CHECK(text == "\"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f \\\"\\\\/\x7F\"");
    CHECK(daybook::is_json(text));
}

TEST_CASE("a refused value takes back all that its writer wrote") {
    std::string text = "before";
    JsonWriter json{text, "a letter"};
    json.begin_object();
    json.key("body");
    try {
        json.value("\xC3\x28");
        FAIL("was accepted");
    } catch (const daybook::InvalidError& error) {
        CHECK(std::string_view{error.what()} ==
              "JSON of 'a letter', field 'body': the text is not UTF-8");
    }
    CHECK(text == "before");
}

TEST_CASE("ids and instants are written as their texts") {
    std::string text;
    JsonWriter json{text};
    json.begin_array();
    json.value(daybook::EventId::parse("0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b"));
    json.value(daybook::parse_iso8601("0000-01-01"));
    json.value(daybook::parse_iso8601("9999-12-31T23:59:59.999999Z"));
    json.end_array();
    CHECK(text == R"(["0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b","0000-01-01T00:00:00.000000Z",)"
                  R"("9999-12-31T23:59:59.999999Z"])");
    for (const int year : {-1, 10'000}) {
        CHECK_THROWS_AS(
            json.value(daybook::Timestamp{std::chrono::sys_days{std::chrono::year{year} / 6 / 1}}),
            daybook::InvalidError);
    }
}
