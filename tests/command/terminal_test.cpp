#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daybook/command/output.hpp"
#include "daybook/command/progress.hpp"
#include "shop.hpp"
#include "terminal_text.hpp"

// Text that other programs have stored is shown on a terminal and not executed by it.

using namespace daybook::command;

namespace {

using Ordered = nlohmann::ordered_json;

/// ESC, BEL, a line break, DEL, a C1 control sequence, a right-to-left override, a BOM.
const std::string hostile =
    "a\x1b]0;T\x07"
    "b\nc\x7f\xc2\x9b"
    "31m\xe2\x80\xae"
    "d\xef\xbb\xbf";
const std::string harmless = "a\\u001b]0;T\\u0007b c\\u007f\\u009b31m\\u202ed\\ufeff";

/// The characters of `text` that a terminal would execute, or not show.
std::string dangerous_in(const std::string& text) {
    std::string found;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
        const std::string three = text.substr(i, 3);
        const bool control = (c < 0x20 && c != '\n') || c == 0x7f;
        const bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0;
        const bool direction = three >= "\xe2\x80\xaa" && three <= "\xe2\x80\xae";
        if (control || c1 || direction) found += "at " + std::to_string(i) + " ";
    }
    return found;
}

}  // namespace

TEST_CASE("a text with control characters is shown and not obeyed [E18]" *
          doctest::test_suite("no-store")) {
    CHECK(terminal_text(hostile) == harmless);
    CHECK(terminal_text("tab\there\r\n") == "tab here  ");
    CHECK(terminal_lines("one\ntwo\x1b") == "one\ntwo\\u001b");
    for (const char* text : {"\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x81\xa6", "\xe2\x81\xa9",
                             "\xe2\x80\x8b", "\xe2\x80\xa8", "\xd8\x9c", "\xf3\xa0\x81\x81"}) {
        CHECK(terminal_text(text).starts_with("\\u"));
    }
    CHECK(terminal_text("\xf3\xa0\x81\x81") == "\\udb40\\udc41");
    CHECK(terminal_text(std::string_view{"a\0b", 3}) == "a\\u0000b");
}

TEST_CASE("text in any language is shown as it is [E18]" * doctest::test_suite("no-store")) {
    for (const std::string text : {"Grüße, 東京 🎉", "ни́жний", "کتاب‌ها",
                                   "👨‍👩‍👧", "naïve – “quoted”"}) {
        CHECK(terminal_text(text) == text);
    }
}

TEST_CASE("bytes that are not UTF-8 are shown as such [E18]" * doctest::test_suite("no-store")) {
    const std::string sign = "\xef\xbf\xbd";
    CHECK(terminal_text("a\xff") == "a" + sign);
    CHECK(terminal_text("\xe2\x80") == sign);
    CHECK(terminal_text("\xe2\x80z") == sign + "z");
    CHECK(terminal_text("\xc0\x9b") == sign + sign);   // ESC's neighbour, too long
    CHECK(terminal_text("\xe0\x82\x9b") == sign);      // U+009B, too long
    CHECK(terminal_text("\xed\xa0\x80") == sign);      // half of a surrogate pair
    CHECK(terminal_text("\xf4\x90\x80\x80") == sign);  // beyond Unicode
    CHECK(terminal_text("\x9b"
                        "31m") == sign + "31m");  // C1 as one byte
}

TEST_CASE("width is counted in columns of a terminal [E18]" * doctest::test_suite("no-store")) {
    CHECK(terminal_width("abc") == 3);
    CHECK(terminal_width("äöü") == 3);
    CHECK(terminal_width("東京") == 4);
    CHECK(terminal_width("e\xcc\x81") == 1);  // with a combining accent
    CHECK(terminal_width("🎉") == 2);
    CHECK(terminal_width("") == 0);

    std::ostringstream data;
    std::ostringstream notes;
    Output output{data, notes, {}};
    {
        Listing listing{output, {"name", "n"}};
        listing.add({{"name", "東京"}, {"n", 1}});
        listing.add({{"name", "Paris"}, {"n", 20}});
        listing.add({{"name", "e\xcc\x81"}, {"n", 3}});
    }
    CHECK(data.str() == "NAME    N\n東京    1\nParis  20\ne\xcc\x81       3\n");
}

TEST_CASE("every way to write to people is fit for a terminal [E18]" *
          doctest::test_suite("no-store")) {
    std::ostringstream data;
    std::ostringstream notes;
    Output output{data, notes, {.live_progress = true}};
    output.record(
        {{hostile, {{hostile, hostile}}}, {"list", {Ordered{{hostile, hostile}}, hostile}}});
    output.line(hostile);
    output.lines(hostile);
    output.note(hostile);
    {
        Listing listing{output, {"name"}};
        listing.add({{"name", hostile}});
    }
    CHECK(dangerous_in(data.str()) == "");
    CHECK(dangerous_in(notes.str()) == "");
    CHECK(data.str().find(harmless + ":\n  " + harmless + ": " + harmless + "\n") !=
          std::string::npos);
    std::ostringstream line;
    Output progress_output{data, line, {.live_progress = true}};
    { Progress{progress_output, hostile}.update(1, 2, hostile); }
    CHECK(line.str().find('\a') == std::string::npos);
}

TEST_CASE("JSON has the same value with escapes [E18]" * doctest::test_suite("no-store")) {
    std::ostringstream data;
    std::ostringstream notes;
    Output output{data, notes, {.json = true}};
    output.record({{hostile, hostile}});
    CHECK(dangerous_in(data.str()) == "");
    CHECK(Json::parse(data.str()) == Json{{hostile, hostile}});
    CHECK(terminal_json("{ \"a\":\n\"\x7f\" }") == "{ \"a\":\n\"\\u007f\" }");

    // The payload of an event goes to another store byte by byte, but not to a terminal.
    const std::string event = "{\"data\":\"\xc2\x9b\"}";
    output.line(event);
    CHECK(data.str().ends_with(event + "\n"));
    std::ostringstream screen;
    Output{screen, notes, {.json = true, .on_terminal = true}}.line(event);
    CHECK(screen.str() == "{\"data\":\"\\u009b\"}\n");
}

TEST_CASE("stored events and errors cannot write to the terminal what they like [E18]") {
    const Shop shop;
    shop.append_order("order-1", "{\"\x7f\xc2\x9b\xe2\x80\xae\":\"Grüße \x7f\"}");
    const auto read = shop.run({"read", "--all"});
    CHECK(dangerous_in(read.out) == "");
    CHECK(read.out.find("{\"\\u007f\\u009b\\u202e\":\"Grüße \\u007f\"}") != std::string::npos);
    for (const process::Arguments& wrong :
         {process::Arguments{"read", hostile}, process::Arguments{hostile},
          process::Arguments{"outbox", "show", hostile}, process::Arguments{"append", "a", hostile},
          process::Arguments{"sagas", "explain", hostile + "/" + hostile}}) {
        const auto refused = shop.run(wrong);
        CHECK(refused.code != 0);
        CHECK_MESSAGE(dangerous_in(refused.err) == "", refused.err);
    }
}
