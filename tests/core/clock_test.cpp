#include "daybook/core/clock.hpp"

#include <chrono>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using namespace std::chrono_literals;
using daybook::parse_iso8601;
using daybook::Timestamp;
using daybook::to_iso8601;

namespace {

constexpr Timestamp at(std::chrono::sys_days day, std::chrono::microseconds time = 0us) {
    return day + time;
}

}  // namespace

TEST_CASE("an instant keeps its microseconds through its text") {
    const Timestamp instant = at(std::chrono::sys_days{2016y / 7 / 4}, 9h + 30min + 5s + 42us);
    CHECK(to_iso8601(instant) == "2016-07-04T09:30:05.000042Z");
    CHECK(parse_iso8601("2016-07-04T09:30:05.000042Z") == instant);
}

TEST_CASE("an instant before 1970 is written with a rising fraction") {
    const Timestamp instant{-1us};
    CHECK(to_iso8601(instant) == "1969-12-31T23:59:59.999999Z");
    CHECK(parse_iso8601(to_iso8601(instant)) == instant);
}

TEST_CASE("a date is its midnight and a fraction may be short") {
    CHECK(parse_iso8601("2016-07-04") == at(std::chrono::sys_days{2016y / 7 / 4}));
    CHECK(to_iso8601(parse_iso8601("2016-07-04T09:30:00Z")) == "2016-07-04T09:30:00.000000Z");
    CHECK(to_iso8601(parse_iso8601("2016-07-04T09:30:00.5Z")) == "2016-07-04T09:30:00.500000Z");
    CHECK(to_iso8601(parse_iso8601("2016-02-29")) == "2016-02-29T00:00:00.000000Z");
}

TEST_CASE("an instant that could be read in two ways is refused") {
    for (const char* text : {
             "",
             "2016",
             "2016-7-4",
             "2016-07-32",
             "2015-02-29",
             "2016-00-01",
             "2016-13-01",
             "16-07-04",
             "2016/07/04",
             "2016-07-04 ",
             " 2016-07-04",
             "2016-07-04T",
             "2016-07-04T09:30",
             "2016-07-04T09:30:00",
             "2016-07-04 09:30:00Z",
             "2016-07-04T24:00:00Z",
             "2016-07-04T09:60:00Z",
             "2016-07-04T09:30:60Z",
             "2016-07-04T09:30:00.Z",
             "2016-07-04T09:30:00.1234567Z",
             "2016-07-04T09:30:00+02:00",
             "2016-07-04T09:30:00Zjunk",
             "-016-07-04",
             "+2016-07-04",
             "2016-07-04t09:30:00z",
         }) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_iso8601(text), daybook::InvalidError);
    }
}

TEST_CASE("the first, the last and every far instant keep themselves through their text [B10]") {
    CHECK(to_iso8601(Timestamp::max()) == "+294247-01-10T04:00:54.775807Z");
    CHECK(to_iso8601(Timestamp::min()) == "-290308-12-21T19:59:05.224192Z");
    CHECK(to_iso8601(at(std::chrono::sys_days{10'000y / 1 / 1})) ==
          "+010000-01-01T00:00:00.000000Z");
    CHECK(to_iso8601(at(std::chrono::sys_days{-1y / 12 / 31})) == "-000001-12-31T00:00:00.000000Z");
    CHECK(to_iso8601(at(std::chrono::sys_days{0y / 2 / 29})) == "0000-02-29T00:00:00.000000Z");
    const auto year = std::chrono::microseconds{std::chrono::years{1}};
    for (Timestamp instant = Timestamp::min(); instant < Timestamp::max() - 997 * year;
         instant += 997 * year) {
        const std::string text = to_iso8601(instant);
        CAPTURE(text);
        CHECK(parse_iso8601(text) == instant);
    }
    for (const Timestamp instant :
         {Timestamp::min(), Timestamp::min() + 1us, Timestamp::max() - 1us, Timestamp::max()})
        CHECK(parse_iso8601(to_iso8601(instant)) == instant);
}

TEST_CASE("an instant beyond the first or the last is refused, not wrapped around [B10]") {
    for (const char* text :
         {"+294247-01-10T04:00:54.775808Z", "-290308-12-21T19:59:05.224191Z", "+294247-01-11",
          "-290308-12-20", "+999999-12-31", "-999999-01-01", "+02016-07-04"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_iso8601(text), daybook::InvalidError);
    }
}

TEST_CASE("sums and differences of instants stop at the first and the last instant [B10]") {
    using daybook::saturating_add;
    using daybook::saturating_difference;
    constexpr auto longest = std::chrono::microseconds::max();
    constexpr auto earliest = std::chrono::microseconds::min();
    const Timestamp day = at(std::chrono::sys_days{2016y / 7 / 4});
    CHECK(saturating_add(day, 5s) == day + 5s);
    CHECK(saturating_add(day, longest) == Timestamp::max());
    CHECK(saturating_add(-(day - Timestamp{}) + Timestamp{}, earliest) == Timestamp::min());
    CHECK(saturating_add(Timestamp::max(), -1us) == Timestamp::max() - 1us);
    CHECK(saturating_difference(day + 5s, day) == 5s);
    CHECK(saturating_difference(Timestamp::max(), Timestamp::min()) == longest);
    CHECK(saturating_difference(Timestamp::min(), Timestamp::max()) == earliest);
    CHECK(saturating_difference(Timestamp::min(), day) == earliest);
    daybook::VirtualClock clock{Timestamp::max()};
    clock.advance(1s);
    CHECK(clock.now() == Timestamp::max());
}

TEST_CASE(
    "B10: the deadline of a wait for ever lies in the future and that of a negative one not") {
    using daybook::deadline_after;
    using daybook::time_left;
    using std::chrono::milliseconds;
    CHECK(time_left(deadline_after(milliseconds::max())) > daybook::forever - 1h);
    CHECK(time_left(deadline_after(milliseconds::min())) == 0ms);
    CHECK(time_left(deadline_after(1h)) > 50min);
    CHECK(deadline_after(milliseconds::max()) + daybook::forever > deadline_after(1h));
}

TEST_CASE("the system clock is not behind the machine's") {
    const auto before =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const Timestamp now = daybook::SystemClock::instance().now();
    CHECK(now >= before);
    CHECK(now <= before + 1min);
}

TEST_CASE("a virtual clock stands still until it is moved") {
    daybook::VirtualClock clock{at(std::chrono::sys_days{2016y / 7 / 4})};
    CHECK(clock.now() == clock.now());
    clock.advance(90min);
    CHECK(to_iso8601(clock.now()) == "2016-07-04T01:30:00.000000Z");
    clock.set(at(std::chrono::sys_days{1999y / 1 / 1}));
    CHECK(to_iso8601(clock.now()) == "1999-01-01T00:00:00.000000Z");
}

TEST_SUITE("concurrent") {
    TEST_CASE("no step of a virtual clock is lost when two threads move it") {
        daybook::VirtualClock clock{Timestamp{}};
        {
            std::vector<std::jthread> threads;
            threads.reserve(4);
            for (int i = 0; i < 4; ++i) {
                threads.emplace_back([&clock] {
                    for (int step = 0; step < 10'000; ++step) clock.advance(1us);
                });
            }
        }
        CHECK(clock.now() == Timestamp{40'000us});
    }
}
