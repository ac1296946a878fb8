#include "daybook/schema/is_json.hpp"

#include <string>
#include <thread>

#include <doctest/doctest.h>

using namespace std::string_literals;
using daybook::is_json;
using daybook::is_json_object;
using daybook::is_same_json;

TEST_CASE("every kind of JSON value is JSON") {
    for (const char* text : {"{}", "[]", "null", "true", "false", "0", "-0", "1.5e-3", "\"x\"",
                             " {\"a\" : [1, {\"b\":null}]}\n", "\"\\ud83d\\udcd6\"",
                             "18446744073709551615", "\":\""}) {
        CAPTURE(text);
        CHECK(is_json(text));
    }
}

TEST_CASE("what only looks like JSON is not") {
    for (const std::string& text : {""s,
                                    " "s,
                                    "{"s,
                                    "}"s,
                                    "[1,]"s,
                                    "{\"a\":1,}"s,
                                    "{\"a\"}"s,
                                    "{a:1}"s,
                                    "{'a':1}"s,
                                    "01"s,
                                    "1."s,
                                    ".5"s,
                                    "+1"s,
                                    "0x1"s,
                                    "NaN"s,
                                    "Infinity"s,
                                    "nul"s,
                                    "truer"s,
                                    "True"s,
                                    "{} {}"s,
                                    "1 2"s,
                                    "[1]x"s,
                                    "\"a"s,
                                    "\"\\x\""s,
                                    "\"\\ud83d\""s,
                                    "\"a\nb\""s,
                                    "\"\xFF\""s,
                                    "\"\xED\xA0\x80\""s,
                                    "// comment\n1"s,
                                    "{\"a\":tru}"s,
                                    "{\"a\":1]"s,
                                    "[}"s,
                                    "\0"s,
                                    "{}\0"s}) {
        CAPTURE(text);
        CHECK_FALSE(is_json(text));
        CHECK_FALSE(is_json_object(text));
    }
}

TEST_CASE("only an object is an object") {
    CHECK(is_json_object(" {\"a\":1} "));
    for (const char* text : {"[]", "null", "1", "\"{}\"", "[{}]"}) {
        CAPTURE(text);
        CHECK_FALSE(is_json_object(text));
    }
}

TEST_CASE("nesting has a limit and no depth overflows the stack") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(is_json(nested(daybook::json_depth_max - 1)));
    CHECK_FALSE(is_json(nested(daybook::json_depth_max + 1)));
    CHECK_FALSE(is_json(nested(1'000'000)));
    CHECK_FALSE(is_json(std::string(1'000'000, '[')));
    CHECK(is_json("[]"));
}

TEST_CASE("a great text is checked to its end") {
    const std::string great = "[\"" + std::string(3'000'000, 'x') + "\"";
    CHECK(is_json(great + "]"));
    CHECK_FALSE(is_json(great));
    CHECK_FALSE(is_json(great + "}"));
}

TEST_CASE("an empty text as the very first one of a thread is only not JSON") {
    std::thread{[] { CHECK_FALSE(is_json("")); }}.join();
}

TEST_CASE("two texts are the same JSON if only the blanks between tokens differ") {
    CHECK(is_same_json(R"({"a":[1,2.50],"b":"x"})", "{\n\t\"a\": [1, 2.50],\r\n  \"b\" : \"x\"}"));
    CHECK(is_same_json("", " \t\r\n"));
    CHECK(is_same_json("[\"" + std::string(100'000, 'x') + "\"]",
                       " [ \"" + std::string(100'000, 'x') + "\" ] "));
    CHECK_FALSE(is_same_json("1.5", "1.50"));
    CHECK_FALSE(is_same_json(R"("a b")", R"("ab")"));
    CHECK_FALSE(is_same_json(R"("\" ")", R"("\"")"));
    CHECK_FALSE(is_same_json(R"({"a":1,"b":2})", R"({"b":2,"a":1})"));
    CHECK_FALSE(is_same_json(R"("a")", R"("\u0061")"));
    CHECK_FALSE(is_same_json("[1]", "[1]]"));
}

TEST_CASE("a text without an end is the same JSON as nothing") {
    CHECK_FALSE(is_same_json(R"(["a])", R"(["a])"));
    CHECK_FALSE(is_same_json(R"(["a"])", R"(["a)"));
    CHECK_FALSE(is_same_json(R"("a\")", R"("a")"));
}
