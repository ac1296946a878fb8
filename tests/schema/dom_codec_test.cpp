#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"
#include "daybook/schema/codec.hpp"

namespace bank {

struct Opened {
    static constexpr daybook::EventType type{"account.opened", 1};
    std::string owner;
    double limit = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Opened, owner, limit)

// Describes itself in both ways.
struct Both {
    int number = 0;
    static constexpr auto fields() { return daybook::fields("from_fields", &Both::number); }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Both, number)

}  // namespace bank

namespace {

using bank::Opened;
using Codec = daybook::Codec<Opened>;

std::string corruption(std::string_view text) {
    Opened opened;
    try {
        Codec::decode(text, opened);
    } catch (const daybook::CorruptError& error) {
        return error.what();
    }
    return "was accepted";
}

}  // namespace

TEST_CASE("a struct described by nlohmann comes back as it was") {
    std::string text = "before ";
    Codec::encode({"Ada \"L\" \xC3\xA9", 0.1}, text);
    CHECK(text == "before {\"limit\":0.1,\"owner\":\"Ada \\\"L\\\" \xC3\xA9\"}");
    Opened opened;
    Codec::decode(std::string_view{text}.substr(7), opened);
    CHECK(opened.owner == "Ada \"L\" \xC3\xA9");
    CHECK(opened.limit == 0.1);
}

TEST_CASE("what nlohmann would write as null or refuse leaves the buffer as it was") {
    std::string text = "kept";
    CHECK_THROWS_AS(Codec::encode({"Ada", std::numeric_limits<double>::quiet_NaN()}, text),
                    daybook::InvalidError);
    CHECK_THROWS_AS(Codec::encode({"Ada \xFF", 0}, text), daybook::InvalidError);
    CHECK(text == "kept");
}

TEST_CASE("a payload that does not fit nlohmann's struct is corrupt and named") {
    CHECK(corruption(R"({"owner":"Ada"})").find("'account.opened'") != std::string::npos);
    CHECK(corruption(R"({"owner":"Ada"})").find("limit") != std::string::npos);
    CHECK(corruption(R"({"owner":5,"limit":0})").find("must be string") != std::string::npos);
    CHECK(corruption("[]").find("'account.opened'") != std::string::npos);
    CHECK(corruption("").find("is not JSON") != std::string::npos);
    CHECK(corruption(R"({"owner":"Ada","limit":1e999})").find("out of the range") !=
          std::string::npos);
}

TEST_CASE("a broken payload is not quoted in the error") {
    const auto text = corruption(R"({"owner":"secret)");
    CHECK(text.find("is not JSON") != text.npos);
    CHECK(text.find("secret") == text.npos);
}

TEST_CASE("a struct with both descriptions is encoded by its fields") {
    std::string text;
    daybook::Codec<bank::Both>::encode({5}, text);
    CHECK(text == R"({"from_fields":5})");
}
