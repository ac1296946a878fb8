#include <doctest/doctest.h>

#include "orders.hpp"
#include "store_location.hpp"

using namespace scenario;
using daybook::test::StoreLocation;

TEST_CASE("every order of the sample ends and units and money balance") {
    const StoreLocation location;
    const std::string& store = location.uri();
    run_program(sample().run(store));
    const auto totals = report(store);
    check_sums(totals);
    CHECK(totals.at("orders_total") == 25);
    CHECK(totals.at("orders_fulfilled") == 18);
    CHECK(totals.at("refunded_cents") > 0);
    CHECK(totals.size() == 10);
}

TEST_CASE("every Northwind order ends and units and money balance") {
    const auto input = northwind();
    if (!input) return;
    const StoreLocation location;
    const std::string& store = location.uri();
    run_program(input->run(store));
    const auto totals = report(store);
    check_sums(totals);
    CHECK(totals.at("orders_total") == 830);
    CHECK(totals.at("orders_fulfilled") > 500);
    CHECK(totals.at("products").size() == 77);
    // Twenty-one orders were never picked up; those that came so far were paid back.
    CHECK(totals.at("refunded_cents") > 0);
}

TEST_CASE("the same seed leads to the same rows and another one to other payments") {
    const auto rows_after = [](const Arguments& more) {
        const StoreLocation location;
        run_program(sample().run(location.uri(), more));
        return read_models(location.uri());
    };
    const auto first = rows_after({"--seed", "3", "--payment-failure-percent", "30"});
    CHECK(first == rows_after({"--seed", "3", "--payment-failure-percent", "30"}));
    CHECK(first != rows_after({"--seed", "4", "--payment-failure-percent", "30"}));
}

TEST_CASE("a run that is repeated after its end changes nothing") {
    const StoreLocation location;
    const std::string& store = location.uri();
    run_program(sample().run(store));
    const auto stats = run_program({"stats", "--store", store, "--json"});
    run_program(sample().run(store));
    CHECK(run_program({"stats", "--store", store, "--json"}) == stats);
}

TEST_CASE("no order is paid when every payment is declined") {
    const StoreLocation location;
    const std::string& store = location.uri();
    run_program(sample().run(store, {"--payment-failure-percent", "100"}));
    const auto totals = report(store);
    check_sums(totals);
    CHECK(totals.at("orders_fulfilled") == 0);
    CHECK(totals.at("charged_cents") == 0);
}
