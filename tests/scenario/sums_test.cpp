#include <doctest/doctest.h>

#include "orders.hpp"
#include "temporary_directory.hpp"

using namespace scenario;
using daybook::test::TemporaryDirectory;

TEST_CASE("every order of the sample ends and units and money tie") {
    const TemporaryDirectory directory;
    const std::string store = directory.file("orders.db");
    run_program(sample().run(store));
    const auto figures = report(store);
    check_sums(figures);
    CHECK(figures.at("orders_total") == 25);
    CHECK(figures.at("orders_fulfilled") == 18);
    CHECK(figures.at("refunded_cents") > 0);
    CHECK(figures.size() == 10);
}

TEST_CASE("every Northwind order ends and units and money tie") {
    const auto input = northwind();
    if (!input) return;
    const TemporaryDirectory directory;
    const std::string store = directory.file("orders.db");
    run_program(input->run(store));
    const auto figures = report(store);
    check_sums(figures);
    CHECK(figures.at("orders_total") == 830);
    CHECK(figures.at("orders_fulfilled") > 500);
    CHECK(figures.at("products").size() == 77);
    // Twenty-one orders were never picked up; those that came so far were paid back.
    CHECK(figures.at("refunded_cents") > 0);
}

TEST_CASE("the same seed leads to the same rows and another one to other payments") {
    const TemporaryDirectory directory;
    const auto rows_after = [&](const std::string& name, const Arguments& more) {
        run_program(sample().run(directory.file(name), more));
        return read_models(directory.file(name));
    };
    const auto first = rows_after("first.db", {"--seed", "3", "--payment-failure-percent", "30"});
    CHECK(first == rows_after("again.db", {"--seed", "3", "--payment-failure-percent", "30"}));
    CHECK(first != rows_after("other.db", {"--seed", "4", "--payment-failure-percent", "30"}));
}

TEST_CASE("a run that is repeated after its end changes nothing") {
    const TemporaryDirectory directory;
    const std::string store = directory.file("orders.db");
    run_program(sample().run(store));
    const auto stats = run_program({"stats", "--store", store, "--json"});
    run_program(sample().run(store));
    CHECK(run_program({"stats", "--store", store, "--json"}) == stats);
}

TEST_CASE("nobody pays when every payment is declined") {
    const TemporaryDirectory directory;
    const std::string store = directory.file("orders.db");
    run_program(sample().run(store, {"--payment-failure-percent", "100"}));
    const auto figures = report(store);
    check_sums(figures);
    CHECK(figures.at("orders_fulfilled") == 0);
    CHECK(figures.at("charged_cents") == 0);
}
