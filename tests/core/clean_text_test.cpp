#include "daybook/core/clean_text.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using daybook::clean_text;
using daybook::is_clean_text;

TEST_CASE("a text that is UTF-8 is kept as it is [B8]") {
    CHECK(clean_text("") == "");
    CHECK(clean_text("unzulässig: 金額 €, 😀\n\ttwo lines") ==
          "unzulässig: 金額 €, 😀\n\ttwo lines");
}

TEST_CASE("bytes that no engine would store as text become replacement characters [B8]") {
    CHECK(clean_text("caf\xE9 is closed") == "caf\uFFFD is closed");
    CHECK(clean_text(std::string_view{"a\0b", 3}) == "a\uFFFDb");
    CHECK(clean_text("\xC0\x80") == "\uFFFD\uFFFD");            // an overlong zero
    CHECK(clean_text("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
    CHECK(clean_text("end \xF0\x9F\x98") == "end \uFFFD\uFFFD\uFFFD");
    CHECK(clean_text("\xF4\x90\x80\x80").size() == 12);  // above U+10FFFF
}

TEST_CASE("a long text is cut between two code points [B8]") {
    CHECK(clean_text("abcdef", 4) == "abcd");
    CHECK(clean_text("ab€", 5) == "ab€");
    CHECK(clean_text("ab€", 4) == "ab");
    CHECK(clean_text("ab\xFF", 4) == "ab");
    CHECK(clean_text("abc", 0) == "");
    CHECK(clean_text(std::string(100'000, 'x')).size() == daybook::kept_text_bytes_max);
}

TEST_CASE("whatever the bytes, what is kept is clean [B8]") {
    std::string bytes;
    for (int i = 0; i < 4'096; ++i) bytes += static_cast<char>((i * 131 + i / 256) & 0xFF);
    CHECK_FALSE(is_clean_text(bytes));
    for (std::size_t from = 0; from < 300; ++from) {
        const std::string kept = clean_text(std::string_view{bytes}.substr(from), 200);
        CHECK(is_clean_text(kept));
        CHECK(kept.size() <= 200);
    }
}

TEST_CASE("one byte that is no text is found at every offset [B8]") {
    const std::string plain(40, '\x7F');
    CHECK(is_clean_text(plain));
    for (std::size_t at = 0; at < plain.size(); ++at) {
        for (const char bad : {'\0', '\x80', '\xFF'}) {
            std::string text = plain;
            text[at] = bad;
            CHECK_FALSE(is_clean_text(text));
        }
    }
}
