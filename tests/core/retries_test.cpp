#include "daybook/core/retries.hpp"

#include <new>
#include <stdexcept>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"

using namespace daybook;
using namespace std::chrono_literals;

namespace {

constexpr Backoff waits = exponential{100ms, 2.0, 1s}.attempts(1);

}  // namespace

TEST_CASE("a store that is away for long is not given up [B7]") {
    Retries retries{waits};
    for (int i = 0; i < 1'000; ++i) {
        REQUIRE(retries.after(UnavailableError("no server")).has_value());
        REQUIRE(retries.after(NotFoundError("no schema")).has_value());
        REQUIRE(retries.after(StorageError("no room")).has_value());
        REQUIRE(retries.after(InDoubtError("no answer")).has_value());
        REQUIRE(retries.after(std::bad_alloc{}).has_value());
    }
    CHECK(retries.after(UnavailableError("no server")) == 1s);
}

TEST_CASE("one bad read ends nothing and the same one again and again does [B7]") {
    Retries retries{waits};
    CHECK(retries.after(CorruptError("torn")) == 100ms);
    CHECK(retries.after(CorruptError("torn")) == 200ms);
    SUBCASE("it comes each time") { CHECK_FALSE(retries.after(CorruptError("torn")).has_value()); }
    SUBCASE("it was read after all") {
        retries.succeeded();
        CHECK(retries.after(CorruptError("torn")) == 100ms);
    }
    SUBCASE("the store went away in between") {
        CHECK(retries.after(UnavailableError("no server")) == 400ms);
        CHECK(retries.after(CorruptError("torn")).has_value());
    }
    SUBCASE("it is not an error of the library") {
        CHECK_FALSE(retries.after(std::runtime_error("?")).has_value());
    }
}
