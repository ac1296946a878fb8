#include <doctest/doctest.h>

#include "bank.hpp"
#include "shop.hpp"

// A command whose result cannot be printed is still reported as done: a caller that repeats it
// would do it twice.

namespace {

using Stdout = process::Options::Stdout;

void expect_reported_as_done(const process::Result& result, const std::string& what) {
    INFO(result.err);
    CHECK(result.code == 1);
    CHECK(result.signal == 0);
    CHECK(result.err.find(what) != std::string::npos);
    CHECK(result.err.find("do not repeat") != std::string::npos);
    CHECK(result.err.find("again") == std::string::npos);
}

void open_accounts(const Shop& shop) {
    auto store = daybook::EventStore::open(shop.store());
    store.append("account-1", daybook::any_version, {bank::Opened{"Ada"}, bank::Deposited{100}});
    store.append("account-2", daybook::any_version, {bank::Opened{""}});
}

}  // namespace

TEST_CASE("an append whose result cannot be printed is reported as stored [A3]") {
    const Shop shop;
    shop.append_order("order-1");
    const process::Arguments append{"append", "order-1", "--type", "t", "--data", "1"};
    expect_reported_as_done(shop.run(append, {.out = Stdout::full_disk}),
                            "order-1 has version 2 at position 2");
    expect_reported_as_done(shop.run(append, {.out = Stdout::closed_pipe}),
                            "order-1 has version 3 at position 3");
    CHECK(shop.records({"read", "order-1"}).size() == 3);

    process::Arguments typed = append;
    typed.emplace_back("--json");
    const auto result = shop.run(typed, {.out = Stdout::full_disk});
    const Json error = Json::parse(result.err);
    CHECK(error.at("retryable") == false);
    CHECK(error.at("error") == "failure");
}

TEST_CASE("work on projections whose result cannot be printed is reported as done [A3]") {
    const Shop shop;
    open_accounts(shop);
    const auto bank = [&](process::Arguments arguments, Stdout out) {
        arguments.insert(arguments.begin(), "projections");
        return shop.run(std::move(arguments), {.program = BANK_PROGRAM, .out = out});
    };
    expect_reported_as_done(bank({"run", "--once"}, Stdout::full_disk), "the projections are fed");
    expect_reported_as_done(bank({"rebuild", "balances", "owners"}, Stdout::full_disk),
                            "rebuilt: balances, owners");
    expect_reported_as_done(bank({"rebuild", "--all"}, Stdout::closed_pipe), "rebuilt: ");
    expect_reported_as_done(bank({"resume", "balances"}, Stdout::full_disk), "is resumed");
    expect_reported_as_done(
        bank({"discard", "owners", "--key", "account-2", "--reason", "x"}, Stdout::closed_pipe),
        "1 event given up");
}

TEST_CASE("a migration whose result cannot be printed is reported as done [A3]") {
    const Shop shop;
    open_accounts(shop);
    const auto result =
        process::run({"migrate", "--from", shop.store(), "--to", shop.path("to.db")},
                     {.out = Stdout::full_disk});
    expect_reported_as_done(result, "the store is migrated to");
    expect_reported_as_done(
        process::run({"mirror", "--once", "--from", shop.store(), "--to", shop.path("mirror.db")},
                     {.out = Stdout::full_disk}),
        "the mirror has stored 3 events");
}
