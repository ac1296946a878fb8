#include "daybook/core/backoff.hpp"

#include <chrono>
#include <limits>
#include <set>

#include <doctest/doctest.h>

#include "daybook/core/clock.hpp"

using namespace std::chrono_literals;
using daybook::every;
using daybook::exponential;

TEST_CASE("waits double until their limit") {
    constexpr auto backoff = exponential(200ms, 2.0, 1s);
    CHECK(backoff.delay(1) == 200ms);
    CHECK(backoff.delay(2) == 400ms);
    CHECK(backoff.delay(3) == 800ms);
    CHECK(backoff.delay(4) == 1s);
    CHECK(backoff.delay(5) == 1s);
}

TEST_CASE("a great number of failures does not overflow the wait") {
    constexpr int many = std::numeric_limits<int>::max();
    CHECK(exponential(200ms, 2.0, 10s).delay(many) == 10s);
    CHECK(exponential(0ms, 2.0, 10s).delay(many) == 0ms);
}

TEST_CASE("nonsense counts of failures wait as after the first") {
    CHECK(exponential(200ms, 2.0, 10s).delay(0) == 200ms);
    CHECK(exponential(200ms, 2.0, 10s).delay(-7) == 200ms);
}

TEST_CASE("full jitter spreads a wait evenly below its bound") {
    constexpr auto backoff = exponential(200ms, 2.0, 10s).full_jitter();
    CHECK(backoff.delay(2, 0.0) == 0ms);
    CHECK(backoff.delay(2, 0.5) == 200ms);
    CHECK(backoff.delay(2, 0.999) < 400ms);

    std::set<std::chrono::milliseconds> seen;
    for (int i = 0; i < 200; ++i) {
        const auto wait = backoff.delay(2);
        CHECK(wait >= 0ms);
        CHECK(wait < 400ms);
        seen.insert(wait);
    }
    CHECK(seen.size() > 50);
}

TEST_CASE("no wait of a backoff is negative or beyond for ever, whatever it was given [B10]") {
    using std::chrono::milliseconds;
    for (const auto initial : {milliseconds::min(), 0ms, 1ms, milliseconds::max()}) {
        for (const auto max : {milliseconds::min(), 0ms, 1ms, milliseconds::max()}) {
            for (const double factor : {-2.0, 0.0, 1.0, 1e300}) {
                const auto backoff = exponential(initial, factor, max);
                CAPTURE(initial.count());
                CAPTURE(max.count());
                CAPTURE(factor);
                for (const int attempts : {0, 1, 2, 1'000'000}) {
                    CHECK(backoff.delay(attempts) >= 0ms);
                    CHECK(backoff.delay(attempts) <= daybook::forever);
                }
            }
        }
    }
    CHECK(every(milliseconds::max()).delay(1) == daybook::forever);
}

TEST_CASE("attempts are counted with the first one") {
    constexpr auto backoff = every(1s).attempts(3);
    CHECK(backoff.attempts_max() == 3);
    CHECK_FALSE(backoff.exhausted(2));
    CHECK(backoff.exhausted(3));
    CHECK(backoff.delay(1) == 1s);
    CHECK(backoff.delay(9) == 1s);
}
