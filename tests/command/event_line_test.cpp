#include "event_line.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/schema/is_json.hpp"

using daybook::InvalidError;
using daybook::command::EventBatch;

namespace {

const std::string byte_order_mark = "\xef\xbb\xbf";

std::string with_data(std::string_view data) {
    return R"({"type":"t","data":)" + std::string(data) + "}";
}

std::string payload_of(std::string_view line) {
    EventBatch batch;
    batch.add_line(line);
    return batch.events().front().data;
}

/// The reason why a line is refused; empty if it is taken.
std::string refusal_of(std::string_view line) {
    EventBatch batch;
    try {
        batch.add_line(line);
    } catch (const InvalidError& error) {
        CHECK(batch.size() == 0);
        return error.what();
    }
    return {};
}

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("a payload is taken out of its line byte for byte") {
    for (const std::string_view data :
         {R"({"x":"}\"","y":[1,{}], "z" : { } })", R"([ ])", "{}", "1.10", "-0", R"("e,\\")",
          R"("\u0061\/ é \ud83d\ude00")", "null", "true", R"({"a":1,"a":2})"}) {
        CHECK(payload_of(with_data(data)) == data);
        CHECK(payload_of(with_data(" \t" + std::string(data) + " ")) == data);
    }
    CHECK(payload_of(R"( { "data" : 1 , "d\u0061ta_text":null , "t\u0079pe" : "t" } )") == "1");
}

TEST_CASE("a payload is taken as deep as JSON may be, and as long") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    const std::string deep = nested(daybook::json_depth_max - 1);
    CHECK(payload_of(with_data(deep)) == deep);
    CHECK(refusal_of(with_data(nested(daybook::json_depth_max))) ==
          "the line nests objects and arrays deeper than 1024: make it flatter");
    const std::string great = '"' + std::string(3'000'000, 'x') + '"';
    CHECK(payload_of(with_data(great)) == great);
}

TEST_CASE("a key that stands twice is refused however it is spelt [E21]") {
    const std::string twice = "'data' stands there twice: leave out the wrong one";
    CHECK(refusal_of(R"({"data":1,"type":"t","data":2})") == twice);
    CHECK(refusal_of(R"({"type":"t","data":1,"d\u0061ta":2})") == twice);
    CHECK(refusal_of(R"({"type":"t","data":{"a":1,"a":2},"stream":"s"})").empty());
    // The first fault of a line is the one that is told.
    CHECK(refusal_of(R"({"tags":[],"data":1,"data":2})").starts_with("'tags': "));
    CHECK(refusal_of(R"({"Data":1,"data":1,"data":2})").starts_with("'Data' is no part of an "));
}

TEST_CASE("a line that is not one whole object is refused, wherever its fault is [E21]") {
    const std::string no_json = "the line is not JSON: give it JSON text";
    for (const std::string_view line :
         {R"({"type":"t","data":1} {})", R"({"type":"t","data":1}})", R"({"type":"t","data":1},)",
          R"({"type":"t","data":[1})", R"({"type":"t","data":{"a":[1,2})",
          R"({"type":"t","data":1)", R"({"type":"t","data":)", R"({"type":"t","data"})",
          R"({"type":"t","data":tru})", R"({"type":"t","data":{"a" 1}})",
          R"({"type":"t","data":[1,,2]})", R"({"type":"t","stream":[nope],"data":1})",
          R"({"type":"t","data":1,})"}) {
        CAPTURE(line);
        CHECK(refusal_of(line) == no_json);
    }
    CHECK(refusal_of(with_data("\"x")) ==
          "the line is not JSON, a text in it has no end: close it");
    CHECK(refusal_of(byte_order_mark + with_data("1")) ==
          "the line begins with a byte order mark: leave it out");
    CHECK(refusal_of(with_data("[\"\xff\"]")) == "the line is not UTF-8: convert it");
    CHECK(refusal_of("{\"type\":\"t\",\"data\":1,\"\xff\":1}") ==
          "the line is not UTF-8: convert it");
    CHECK(refusal_of(with_data(R"(["\udc00"])")).starts_with("the line has a text with an escape"));
    CHECK(refusal_of(R"({"\ud800":1})").starts_with("the line has a text with an escape"));
    CHECK(
        refusal_of(with_data("[\"a\nb\"]")).starts_with("the line has a text with a raw control"));
    CHECK(refusal_of(with_data("[1e400]")).starts_with("the line has a number"));
    CHECK(refusal_of(with_data("01")).starts_with("the line has a number"));
    for (const std::string_view line : {"[]", "1", "null", R"("{}")", R"([{"type":"t"}])"}) {
        CAPTURE(line);
        CHECK(refusal_of(line) == "the line is not a JSON object: write {\"type\":…,\"data\":…}");
    }
    CHECK(refusal_of("{}") == "'type' is missing");
    CHECK(refusal_of(R"({ "type" : "t" })") == "'data' is missing");
}

TEST_CASE("an exact text is taken if it differs from the payload by blanks only [E21]") {
    CHECK(payload_of(R"({"type":"t","data":{"a": 1.50},"data_text":"{\n\t\"a\" :1.50\r\n}"})") ==
          "{\n\t\"a\" :1.50\r\n}");
    CHECK(payload_of(R"({"type":"t","data":"a\\\" b","data_text":" \"a\\\\\\\" b\"\n"})") ==
          " \"a\\\\\\\" b\"\n");
    const std::string other = "'data' and 'data_text' are not the same: leave out 'data_text'";
    for (const std::string_view text :
         {R"("{\"a\":1.5}")", R"("{\"a\":1.50")", R"("")", R"("{\"a\":\"1.50\"}")",
          R"("{\"b\":1.50}")", R"("{\"a\":1.50} {}")", R"("{\"a \":1.50}")", R"("{\"a:1.50}")"}) {
        CAPTURE(text);
        CHECK(refusal_of(R"({"type":"t","data":{"a":1.50},"data_text":)" + std::string(text) +
                         "}") == other);
    }
    CHECK(refusal_of(R"({"type":"t","data":1,"data_text":1})") == "'data_text' is a text, not 1");
}

TEST_SUITE_END();
