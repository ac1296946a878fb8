#include <sstream>

#include <doctest/doctest.h>

#include "orders.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

using namespace scenario;
using daybook::test::StoreLocation;
using daybook::test::TemporaryDirectory;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the history of an order that was refused at the last step shows how it was undone") {
    const StoreLocation location;
    const std::string& store = location.uri();
    run_program(sample().run(store));
    const std::string story = run_program({"show", "543", "--store", store});
    const char* const parts[] = {"placed",   "units reserved", "taken",    "refused",
                                 "refunded", "units released", "cancelled"};
    std::size_t at = 0;
    for (const char* part : parts) {
        CAPTURE(part);
        at = story.find(part, at);
        REQUIRE(at != std::string::npos);
    }
    CHECK(has(story, "message"));
    CHECK_FALSE(has(story, "still to come"));

    std::istringstream lines{run_program({"show", "543", "--store", store, "--json"})};
    std::uint64_t position = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto object = nlohmann::json::parse(line);
        CHECK(object.at("position").get<std::uint64_t>() > position);
        position = object.at("position").get<std::uint64_t>();
    }
    CHECK(position > 0);
}

TEST_CASE("a missing order is reported as missing") {
    const TemporaryDirectory directory;
    const StoreLocation location;
    const std::string& store = location.uri();
    run_program(sample().run(store));
    RunningProgram program{{"show", "no-such", "--store", store}, directory.file("output")};
    CHECK(program.wait() == 3);
}

TEST_CASE("input that cannot be read is refused before a store is created") {
    const TemporaryDirectory directory;
    const StoreLocation location;
    const std::string& store = location.uri();
    RunningProgram missing{Input{directory.path().string()}.run(store), directory.file("output")};
    CHECK(missing.wait() == 3);
    RunningProgram percent{sample().run(store, {"--payment-failure-percent", "101"}),
                           directory.file("output")};
    CHECK(percent.wait() == 2);
    CHECK_FALSE(location.exists());
}
