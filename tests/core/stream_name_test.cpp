#include "daybook/core/stream_name.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using daybook::InvalidError;
using daybook::StreamName;
using namespace std::string_literals;

TEST_CASE("the category ends at the first dash and the id begins behind it") {
    const StreamName name{"order-2016-10248"};
    CHECK(name.category() == "order");
    CHECK(name.id() == "2016-10248");
    CHECK(name.str() == "order-2016-10248");
}

TEST_CASE("a name without a dash is its own category and has no id") {
    const StreamName name{"settings"};
    CHECK(name.category() == "settings");
    CHECK(name.id().empty());
}

TEST_CASE("names of every script are allowed up to the limit in bytes") {
    CHECK_NOTHROW(StreamName{"bestellung-größe"});
    CHECK_NOTHROW(StreamName{"注文-42"});
    CHECK_NOTHROW(StreamName{"order-\xF0\x9F\x93\x96"});
    CHECK_NOTHROW(StreamName{"a/b:c.d$e-"});
    CHECK_NOTHROW(StreamName{std::string(StreamName::bytes_max, 'a')});
    CHECK_THROWS_AS(StreamName{std::string(StreamName::bytes_max + 1, 'a')}, InvalidError);
}

TEST_CASE("a name that could be mistaken for something else is refused") {
    for (const std::string& name :
         {""s, "-1"s, "$all"s, "a b"s, " a"s, "a\n"s, "a\tb"s, "a\x7F"s, "a\0b"s,
          "a\xC2\x85"s,         // next line, a control character
          "a\xC2\xA0"s,         // no-break space
          "a\xE2\x80\x8A"s,     // hair space
          "a\xE2\x80\xA8"s,     // line separator
          "a\xE3\x80\x80"s}) {  // ideographic space
        CAPTURE(name);
        CHECK_THROWS_AS(StreamName{name}, InvalidError);
    }
}

TEST_CASE("bytes that are not UTF-8 are refused") {
    for (const std::string& name :
         {"a\x80"s, "a\xC3"s, "a\xC3("s, "a\xE2\x82"s, "a\xF0\x9F\x93"s, "a\xFF"s,
          "a\xC0\xAF"s,          // overlong /
          "a\xE0\x80\xAF"s,      // overlong /
          "a\xF0\x80\x80\xAF"s,  // overlong /
          "a\xED\xA0\x80"s,      // a surrogate
          "a\xF4\x90\x80\x80"s,  // above U+10FFFF
          "a\xF8\x88\x80\x80\x80"s}) {
        CAPTURE(name);
        CHECK_THROWS_AS(StreamName{name}, InvalidError);
    }
}

TEST_CASE("the error names the stream and what to do without raw bytes in it") {
    try {
        const StreamName name{"bad\x1B[31m name"};
        FAIL("was accepted");
    } catch (const InvalidError& error) {
        const std::string_view text = error.what();
        CHECK(text.find("'bad?[31m name'") != text.npos);
        CHECK(text.find("control character") != text.npos);
        CHECK(text.find("order-10248") != text.npos);
        CHECK(text.find('\x1B') == text.npos);
    }
}
