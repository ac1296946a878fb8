#include <doctest/doctest.h>

#include "shop.hpp"

// Wrong calls: each is refused with its kind and exit code, nothing is stored, and the store opens
// afterwards as before.

namespace {

void expect_refused(const Shop& shop, process::Arguments arguments, int code,
                    const std::string& kind, const std::string& input = "") {
    const auto before = shop.records({"read", "--all"});

    const auto result = shop.run(arguments, {.input = input});
    INFO(result.err);
    CHECK(result.code == code);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("daybook: " + kind + ": "));

    arguments.emplace_back("--json");
    const auto typed = shop.run(arguments, {.input = input});
    CHECK(typed.code == code);
    CHECK(typed.out.empty());
    const Json error = Json::parse(process::lines(typed.err).back());
    CHECK(error.at("error") == kind);
    CHECK_FALSE(error.at("message").get<std::string>().empty());

    CHECK(shop.records({"read", "--all"}) == before);
    shop.append_order("afterwards-1");
}

}  // namespace

TEST_CASE("a conflict is reported with the version that is stored") {
    const Shop shop;
    shop.append_order("order-1");
    expect_refused(shop, {"append", "order-1", "--expect", "none", "--type", "t", "--data", "1"}, 4,
                   "conflict");
    expect_refused(shop, {"append", "order-1", "--expect", "7", "--type", "t", "--data", "1"}, 4,
                   "conflict");
    expect_refused(shop, {"append", "order-2", "--expect", "exists", "--type", "t", "--data", "1"},
                   4, "conflict");
}

TEST_CASE("a repeated append stores nothing twice and prints the first result") {
    const Shop shop;
    const process::Arguments append{
        "append", "order-1", "--expect", "none", "--type",
        "t",      "--data",  "1",        "--id", "0190a0b0-0000-7000-8000-000000000001"};
    const Json first = shop.records(append).at(0);
    CHECK(first.at("repeated") == false);
    shop.append_order("order-1");

    const Json second = shop.records(append).at(0);
    CHECK(second.at("repeated") == true);
    CHECK(second.at("version") == first.at("version"));
    CHECK(second.at("position") == first.at("position"));
    CHECK(shop.records({"read", "order-1"}).size() == 2);
}

TEST_CASE("an id that was used for something else is refused") {
    const Shop shop;
    const std::string id = "0190a0b0-0000-7000-8000-000000000001";
    shop.records({"append", "order-1", "--type", "t", "--data", "1", "--id", id});
    expect_refused(shop, {"append", "order-1", "--type", "t", "--data", "2", "--id", id}, 4,
                   "duplicate");
    expect_refused(shop, {"append", "order-2", "--type", "t", "--data", "1", "--id", id}, 4,
                   "duplicate");
}

TEST_CASE("an empty batch is refused") {
    const Shop shop;
    shop.append_order("order-1");
    expect_refused(shop, {"append", "order-1"}, 2, "invalid");
    expect_refused(shop, {"append", "order-1"}, 2, "invalid", "\n  \n");
}

TEST_CASE("a malformed stream name is refused") {
    const Shop shop;
    shop.append_order("order-1");
    for (const std::string name : {"or der", "$order", "", "order\t1"}) {
        expect_refused(shop, {"append", name, "--type", "t", "--data", "1"}, 2, "invalid");
    }
    expect_refused(shop, {"append", std::string(201, 'x'), "--type", "t", "--data", "1"}, 2,
                   "invalid");
}

TEST_CASE("a payload that is not JSON is refused") {
    const Shop shop;
    shop.append_order("order-1");
    for (const std::string data : {"{", "nope", "", "{} {}"}) {
        expect_refused(shop, {"append", "order-1", "--type", "t", "--data", data}, 2, "invalid");
    }
    expect_refused(shop, {"append", "order-1", "--type", "t", "--data", "1", "--metadata", "[1]"},
                   2, "invalid");
    const std::string good = "{\"type\":\"t\",\"data\":1}\n";
    expect_refused(shop, {"append", "order-1"}, 2, "invalid", good + "{\"type\":\"t\",\"data\":\n");
    expect_refused(shop, {"append", "order-1"}, 2, "invalid", good + "not json\n");
}

TEST_CASE("an unknown expectation is refused") {
    const Shop shop;
    shop.append_order("order-1");
    for (const std::string expect : {"some", "-1", "1.5"}) {
        expect_refused(shop,
                       {"append", "order-1", "--expect=" + expect, "--type", "t", "--data", "1"}, 2,
                       "invalid");
    }
    expect_refused(shop, {"append", "order-1", "--expect", "", "--type", "t", "--data", "1"}, 2,
                   "invalid");
}

TEST_CASE("a missing store is not found and not created by commands that read") {
    const Shop shop;
    for (const auto& arguments : std::vector<process::Arguments>{{"read", "--all"},
                                                                 {"streams"},
                                                                 {"stats"},
                                                                 {"projections", "list"},
                                                                 {"outbox", "list"},
                                                                 {"sagas", "list"}}) {
        const auto result = shop.run(arguments);
        CHECK(result.code == 3);
        CHECK(result.err.starts_with("daybook: not_found: "));
        CHECK(result.err.find(shop.store()) != std::string::npos);
        CHECK_FALSE(shop.has_store());
    }
    shop.append_order("order-1");
}
