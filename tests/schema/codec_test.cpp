#include "daybook/schema/codec.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using namespace std::string_literals;
using namespace std::string_view_literals;
using daybook::Codec;
using daybook::CorruptError;
using daybook::InvalidError;

namespace {

enum class Speed : std::uint8_t { normal = 0, express = 7 };

struct Line {
    std::string sku;
    std::int32_t quantity = 0;
    bool operator==(const Line&) const = default;
    static constexpr auto fields() {
        return daybook::fields("sku", &Line::sku, "quantity", &Line::quantity);
    }
};

struct Placed {
    static constexpr daybook::EventType type{"order.placed", 1};

    daybook::EventId id;
    daybook::StreamName customer{"customer-0"};
    daybook::Timestamp at{};
    bool paid = false;
    Speed speed = Speed::normal;
    double weight = 0;
    daybook::Position seen;
    std::optional<std::string> note;
    std::optional<Line> gift;
    std::vector<Line> lines;
    std::vector<bool> flags;
    std::vector<std::vector<std::int64_t>> grid;
    std::vector<std::optional<daybook::StreamName>> related;
    std::map<std::string, double> rates;

    bool operator==(const Placed&) const = default;
    static constexpr auto fields() {
        return daybook::fields("id", &Placed::id, "customer", &Placed::customer, "at", &Placed::at,
                               "paid", &Placed::paid, "speed", &Placed::speed, "weight",
                               &Placed::weight, "seen", &Placed::seen, "note", &Placed::note,
                               "gift", &Placed::gift, "lines", &Placed::lines, "flags",
                               &Placed::flags, "grid", &Placed::grid, "related", &Placed::related,
                               "rates", &Placed::rates);
    }
};

struct Wholes {
    std::int8_t i8 = 0;
    std::uint8_t u8 = 0;
    std::int16_t i16 = 0;
    std::uint16_t u16 = 0;
    std::int32_t i32 = 0;
    std::uint32_t u32 = 0;
    std::int64_t i64 = 0;
    std::uint64_t u64 = 0;
    bool operator==(const Wholes&) const = default;
    static constexpr auto fields() {
        return daybook::fields("i8", &Wholes::i8, "u8", &Wholes::u8, "i16", &Wholes::i16, "u16",
                               &Wholes::u16, "i32", &Wholes::i32, "u32", &Wholes::u32, "i64",
                               &Wholes::i64, "u64", &Wholes::u64);
    }
};

template <class T>
struct One {
    static constexpr daybook::EventType type{"one.happened", 1};
    T value{};
    static constexpr auto fields() { return daybook::fields("value", &One::value); }
};

struct Nothing {
    bool operator==(const Nothing&) const = default;
    static constexpr auto fields() { return daybook::fields(); }
};

template <class T>
std::string encode(const T& value) {
    std::string text;
    Codec<T>::encode(value, text);
    return text;
}

template <class T>
T decode(std::string_view text) {
    T value{};
    Codec<T>::decode(text, value);
    return value;
}

template <class T>
T decode_one(std::string_view value) {
    return decode<One<T>>("{\"value\":" + std::string(value) + "}").value;
}

template <class T>
std::string corruption(std::string_view text) {
    try {
        decode<T>(text);
    } catch (const CorruptError& error) {
        return error.what();
    }
    return "was accepted";
}

}  // namespace

TEST_CASE("every kind of member comes back as it was") {
    Placed placed;
    placed.id = daybook::EventId::generate();
    placed.customer = daybook::StreamName{"customer-größe"};
    placed.at = daybook::parse_iso8601("2016-07-04T09:30:00.000042Z");
    placed.paid = true;
    placed.speed = Speed::express;
    placed.weight = 0.1;
    placed.seen = 42;
    placed.note = "to \"Ada\"\n\t\\ \x01 and \xF0\x9F\x93\x96";
    placed.gift = Line{"ribbon", -1};
    placed.lines = {{"chai", 3}, {"chang", 0}};
    placed.flags = {true, false, true};
    placed.grid = {{}, {1}, {2, 3}};
    placed.related = {daybook::StreamName{"order-1"}, std::nullopt};
    placed.rates = {{"", 1.5}, {"a \"key\"", -2}};
    CHECK(decode<Placed>(encode(placed)) == placed);
    CHECK(decode<Placed>(encode(Placed{})) == Placed{});
}

TEST_CASE("an empty optional field is left out and an empty element is null") {
    CHECK(encode(One<std::optional<int>>{}) == "{}");
    CHECK(encode(One<std::vector<std::optional<int>>>{{1, std::nullopt}}) ==
          R"({"value":[1,null]})");
}

TEST_CASE("a struct without members is an empty object") {
    CHECK(encode(Nothing{}) == "{}");
    CHECK(decode<Nothing>(R"({"unknown":1})") == Nothing{});
}

TEST_CASE("encoding appends and does not touch what was there") {
    std::string text = "before ";
    Codec<Line>::encode({"chai", 3}, text);
    CHECK(text == R"(before {"sku":"chai","quantity":3})");
}

TEST_CASE("the smallest and greatest numbers survive and the next ones are refused") {
    Wholes least{-128,
                 0,
                 -32768,
                 0,
                 std::numeric_limits<std::int32_t>::min(),
                 0,
                 std::numeric_limits<std::int64_t>::min(),
                 0};
    Wholes greatest{127,
                    255,
                    32767,
                    65535,
                    std::numeric_limits<std::int32_t>::max(),
                    std::numeric_limits<std::uint32_t>::max(),
                    std::numeric_limits<std::int64_t>::max(),
                    std::numeric_limits<std::uint64_t>::max()};
    CHECK(decode<Wholes>(encode(least)) == least);
    CHECK(decode<Wholes>(encode(greatest)) == greatest);

    CHECK_THROWS_AS(decode_one<std::int8_t>("128"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::int8_t>("-129"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::uint8_t>("256"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::uint8_t>("-1"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::int32_t>("2147483648"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::int64_t>("9223372036854775808"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::int64_t>("-9223372036854775809"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::uint64_t>("18446744073709551616"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::uint64_t>(std::string(400, '9')), CorruptError);
    CHECK_THROWS_AS(decode_one<Speed>("256"), CorruptError);
}

TEST_CASE("a whole number is not guessed from something else") {
    for (const char* value : {"1.0", "1e3", "\"1\"", "true", "null", "[1]", "{}", "+1", "01", "0x1",
                              "1x", "--1", "-", ".5"}) {
        CAPTURE(value);
        CHECK_THROWS_AS(decode_one<std::int64_t>(value), CorruptError);
    }
}

TEST_CASE("floating point numbers come back bit for bit") {
    for (const double number : {0.0, -0.0, 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308,
                                -2.2250738585072014e-308, 1e21, 123456789012345680.0, 4.35}) {
        CAPTURE(number);
        const double back = decode<One<double>>(encode(One<double>{number})).value;
        CHECK(back == number);
        CHECK(std::signbit(back) == std::signbit(number));
    }
    for (const float number : {0.1F, 3.4028235e38F, 1e-45F, 16777216.0F, 8.589973e9F}) {
        CAPTURE(number);
        CHECK(decode<One<float>>(encode(One<float>{number})).value == number);
    }
    CHECK(encode(One<double>{0.1}) == R"({"value":0.1})");
    CHECK(encode(One<float>{0.1F}) == R"({"value":0.1})");
    CHECK(decode_one<double>("3") == 3.0);
}

TEST_CASE("numbers beyond floating point are refused and never become infinite") {
    CHECK_THROWS_AS(decode_one<double>("1e999"), CorruptError);
    CHECK_THROWS_AS(decode_one<float>("1e39"), CorruptError);
    CHECK_THROWS_AS(decode_one<double>("NaN"), CorruptError);
    CHECK_THROWS_AS(decode_one<double>("Infinity"), CorruptError);
    CHECK_THROWS_AS(decode_one<double>("\"1.5\""), CorruptError);
    CHECK_THROWS_AS(decode_one<double>("null"), CorruptError);
}

TEST_CASE("what JSON cannot hold is refused and leaves the buffer as it was") {
    std::string text = "kept";
    const auto refuses = [&]<class T>(const One<T>& event) {
        try {
            Codec<One<T>>::encode(event, text);
        } catch (const InvalidError& error) {
            CHECK(std::string_view{error.what()}.find("'one.happened', field 'value'") !=
                  std::string_view::npos);
            return text == "kept";
        }
        return false;
    };
    CHECK(refuses(One<double>{std::numeric_limits<double>::quiet_NaN()}));
    CHECK(refuses(One<double>{-std::numeric_limits<double>::infinity()}));
    CHECK(refuses(One<float>{std::numeric_limits<float>::infinity()}));
    CHECK(refuses(One<std::string>{"not UTF-8: \xFF"}));
    CHECK(refuses(One<std::string>{"half a character \xE2\x82"}));
    CHECK(refuses(One<std::vector<std::string>>{{"fine", "\xED\xA0\x80"}}));
    CHECK(refuses(One<daybook::Timestamp>{daybook::Timestamp::max()}));
}

TEST_CASE("text of every kind and length survives escaping") {
    std::string text;
    for (int c = 0; c < 128; ++c) text += static_cast<char>(c);
    text += "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF";
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        if ((static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) continue;
        const One<std::string> event{text.substr(begin)};
        CHECK(decode<One<std::string>>(encode(event)).value == event.value);
    }
    for (std::size_t size = 0; size < 70; ++size) {
        for (const char* special : {"\"", "\\", "\n", "\x1F", "\x7F", "é"}) {
            for (std::size_t at = 0; at <= size; ++at) {
                const One<std::string> event{std::string(size, 'x').insert(at, special)};
                REQUIRE(decode<One<std::string>>(encode(event)).value == event.value);
            }
        }
    }
}

TEST_CASE("escapes are read however they are spelled") {
    CHECK(decode_one<std::string>(R"("\u0041\n\/\"\\\u00e9\ud83d\udcd6")") ==
          "A\n/\"\\\xC3\xA9\xF0\x9F\x93\x96");
    CHECK(decode_one<std::string>(R"("\u0000")") == "\0"s);
    CHECK(decode<One<int>>(R"({"v\u0061lue":5})").value == 5);
}

TEST_CASE("broken escapes and raw control characters are refused") {
    for (const std::string& value :
         {R"("\x41")"s, R"("\u12")"s, R"("\u12g4")"s, R"("\ud83dx")"s, "\"a\nb\""s, "\"a\0b\""s,
          "\"\xFF\""s, R"("unclosed)"s, R"("a\")"s, "'single'"s}) {
        CAPTURE(value);
        CHECK_THROWS_AS(decode_one<std::string>(value), CorruptError);
    }
}

TEST_CASE("fields may come in any order with blanks and unknown ones between") {
    const Line line = decode<Line>(
        " \n{ \"x\" : [1, {\"sku\": 5}] , \"quantity\" :\t3 ,"
        "\"y\":{\"quantity\":9},\"sku\" : \"chai\" , \"z\":null } ");
    CHECK(line == Line{"chai", 3});
}

TEST_CASE("a key that only starts like a field is not the field") {
    CHECK(decode<Line>(R"({"s":1,"skus":2,"sk\"u":3,"sku":"a","quantity":1,"quantity2":2})") ==
          Line{"a", 1});
    CHECK_THROWS_AS(decode<Line>(R"({"SKU":"a","quantity":1})"), CorruptError);
}

TEST_CASE("of a key that comes twice the last one counts") {
    CHECK(decode<Line>(R"({"sku":"a","quantity":1,"sku":"b"})") == Line{"b", 1});
}

TEST_CASE("a missing field is named") {
    CHECK(corruption<Line>(R"({"quantity":1})").find("field 'sku': is missing") !=
          std::string::npos);
    CHECK(corruption<One<std::string>>("{}").find("'one.happened', field 'value': is missing") !=
          std::string::npos);
}

TEST_CASE("a missing optional field empties what a reused struct held") {
    One<std::optional<int>> event{5};
    Codec<One<std::optional<int>>>::decode("{}", event);
    CHECK_FALSE(event.value);
    event.value = 5;
    Codec<One<std::optional<int>>>::decode(R"({"value":null})", event);
    CHECK_FALSE(event.value);
}

TEST_CASE("lists of a reused struct do not grow from event to event") {
    One<std::vector<int>> event{{1, 2, 3}};
    Codec<One<std::vector<int>>>::decode(R"({"value":[4]})", event);
    CHECK(event.value == std::vector{4});
}

TEST_CASE("an error names the struct and the path to the value and no payload") {
    const auto text = corruption<Placed>(
        R"({"lines":[{"sku":"a","quantity":1},{"sku":"b","quantity":"secret"}]})");
    CHECK(text.find("'order.placed'") != text.npos);
    CHECK(text.find("field 'lines[1].quantity'") != text.npos);
    CHECK(text.find("expected a whole number from -2147483648 to 2147483647") != text.npos);
    CHECK(text.find("upcaster") != text.npos);
    CHECK(text.find("secret") == text.npos);
    CHECK(corruption<Placed>(R"({"rates":{"eur":"x"}})").find("field 'rates.eur'") != text.npos);
    CHECK(corruption<Line>("[]").find("Line': expected an object") != text.npos);
}

TEST_CASE("values of another type are refused for every member") {
    for (const char* value : {"0", "\"x\"", "[]", "{}", "null", "tru", "falsey", "nul"}) {
        CAPTURE(value);
        CHECK_THROWS_AS(decode_one<bool>(value), CorruptError);
    }
    for (const char* value : {"0", "true", "[]", "{}", "null", "x"}) {
        CAPTURE(value);
        CHECK_THROWS_AS(decode_one<std::string>(value), CorruptError);
        CHECK_THROWS_AS(decode_one<daybook::EventId>(value), CorruptError);
        CHECK_THROWS_AS(decode_one<daybook::Timestamp>(value), CorruptError);
    }
    CHECK_THROWS_AS(decode_one<daybook::EventId>("\"0190a1b2\""), CorruptError);
    CHECK_THROWS_AS(decode_one<daybook::Timestamp>("\"yesterday\""), CorruptError);
    CHECK_THROWS_AS(decode<Placed>(R"({"customer":"two words"})"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::vector<int>>("{}"), CorruptError);
    CHECK_THROWS_AS(decode_one<std::vector<int>>("1"), CorruptError);
    CHECK_THROWS_AS((decode_one<std::map<std::string, int>>("[]")), CorruptError);
    CHECK_THROWS_AS(decode_one<Line>("\"x\""), CorruptError);
    CHECK_THROWS_AS(decode_one<std::optional<int>>("\"x\""), CorruptError);
}

TEST_CASE("text that is not one JSON object is refused") {
    for (const std::string& text : {""s,
                                    " "s,
                                    "null"s,
                                    "1"s,
                                    "\"x\""s,
                                    "[]"s,
                                    "{"s,
                                    "}"s,
                                    "{]"s,
                                    R"({"value")"s,
                                    R"({"value":)"s,
                                    R"({"value":1)"s,
                                    R"({"value":1,})"s,
                                    R"({"value" 1})"s,
                                    R"({"value":1 "x":2})"s,
                                    R"({value:1})"s,
                                    R"({"value":1}})"s,
                                    R"({"value":1}x)"s,
                                    R"({"value":1}{"value":2})"s,
                                    R"({"value":1},)"s,
                                    R"([{"value":1}])"s,
                                    R"({"value":1]})"s,
                                    "{\"value\":1}\0"s,
                                    "\xEF\xBB\xBF{\"value\":1"s}) {
        CAPTURE(text);
        CHECK_THROWS_AS(decode<One<int>>(text), CorruptError);
    }
    for (const char* list : {"[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "1]"}) {
        CAPTURE(list);
        CHECK_THROWS_AS(decode_one<std::vector<int>>(list), CorruptError);
    }
}

TEST_CASE("every way to cut a text off is noticed") {
    Placed placed;
    placed.note = "a \\ note";
    placed.lines = {{"chai", 3}};
    placed.rates = {{"eur", 1.5}};
    const std::string text = encode(placed);
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK_THROWS_AS(decode<Placed>(std::string_view{text}.substr(0, size)), CorruptError);
    }
}

TEST_CASE("deep nesting in an unknown field does no harm") {
    for (const std::size_t depth : {100UL, 1000UL, 5000UL, 300'000UL}) {
        const std::string deep = std::string(depth, '[') + std::string(depth, ']');
        CHECK(decode<One<int>>("{\"deep\":" + deep + ",\"value\":5}").value == 5);
        CHECK_THROWS_AS(decode<One<int>>("{\"value\":" + deep + "}"), CorruptError);
    }
}

TEST_CASE("great texts are read and do not stay in memory's way") {
    const One<std::string> great{std::string(5'000'000, 'x') + "\n"};
    CHECK(decode<One<std::string>>(encode(great)).value == great.value);
    CHECK(decode<One<int>>(R"({"value":5})").value == 5);
}

TEST_CASE("a failed reading does not disturb the next one") {
    for (int i = 0; i < 3; ++i) {
        CHECK_THROWS_AS(decode<Placed>(R"({"lines":[{"sku":"a","quantity":[[[)"), CorruptError);
        CHECK(decode<Line>(R"({"sku":"a","quantity":1})") == Line{"a", 1});
    }
}

TEST_SUITE("concurrent") {
    TEST_CASE("threads that encode and decode side by side do not disturb one another") {
        std::vector<int> wrong(4);
        std::vector<std::jthread> threads;
        threads.reserve(wrong.size());
        for (std::size_t i = 0; i < wrong.size(); ++i) {
            threads.emplace_back([&own = wrong[i], i] {
                for (int round = 0; round < 2000; ++round) {
                    const Line line{std::string(i * 50, 'x') + "\n", round};
                    if (decode<Line>(encode(line)) != line) ++own;
                }
            });
        }
        threads.clear();
        CHECK(wrong == std::vector<int>(4));
    }
}
