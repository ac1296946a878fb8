#include <doctest/doctest.h>
#include <signal.h>

#include "bank.hpp"
#include "patience.hpp"
#include "shop.hpp"

namespace {

void open_accounts(const Shop& shop) {
    auto store = daybook::EventStore::open(shop.store());
    store.append("account-1", daybook::any_version, {bank::Opened{"Ada"}, bank::Deposited{100}});
    store.append("account-2", daybook::any_version, {bank::Opened{""}, bank::Deposited{50}});
    store.append("account-1", daybook::any_version, {bank::Deposited{1}});
}

std::int64_t cents(const Shop& shop, const std::string& account) {
    std::int64_t found = -1;
    const daybook::ReadModels models{daybook::EventStore::open(shop.store())};
    models.query("balances", [&](daybook::Sql& sql) {
        found = sql.integer("SELECT cents FROM balances WHERE account = ?", account).value_or(-1);
    });
    return found;
}

Json status(const Shop& shop, const std::string& name) {
    return shop.records({"projections", "status", name}).at(0);
}

}  // namespace

TEST_CASE("run once applies what is there") {
    const Shop shop;
    open_accounts(shop);
    const auto result = shop.bank({"projections", "run", "--once"});
    INFO(result.err);
    CHECK(result.code == 0);
    CHECK(cents(shop, "account-1") == 101);
    CHECK(cents(shop, "account-2") == 50);
}

TEST_CASE("run feeds what comes until Ctrl-C" * doctest::test_suite("concurrent")) {
    const Shop shop;
    open_accounts(shop);
    process::Child child{{"--store", shop.store(), "projections", "run", "--json"},
                         {.program = BANK_PROGRAM}};
    shop.bank({"pay-in", "account-1", "--cents", "7"});
    const auto store = daybook::EventStore::open(shop.store());
    const daybook::ProjectionRunner runner{store};
    const auto deadline = std::chrono::steady_clock::now() + daybook::test::patience();
    for (bool there = false; !there && std::chrono::steady_clock::now() < deadline;) {
        try {
            there = runner.wait_for("balances", store.head(), std::chrono::seconds{1}) &&
                    runner.wait_for("owners", store.head(), std::chrono::seconds{1});
        } catch (const daybook::NotFoundError&) {
            // The child has not created the model yet.
        }
    }
    CHECK(cents(shop, "account-1") == 108);
    child.send(SIGINT);
    const auto result = child.wait();
    INFO(result.err);
    CHECK(result.code == 0);
    CHECK(process::lines(result.out).size() == 2);
    for (const auto& line : process::lines(result.out)) CHECK(Json::parse(line).at("lag") == 0);
}

TEST_CASE("the stock command shows projections that only another program knows") {
    const Shop shop;
    open_accounts(shop);
    CHECK(shop.records({"projections", "list"}).empty());
    REQUIRE(shop.bank({"projections", "run", "--once"}).code == 0);

    const auto lines = process::lines(shop.run({"projections", "list", "--json"}).out);
    REQUIRE(lines.size() == 2);
    CHECK(keys(lines[0]) == std::vector<std::string>{"name", "version", "lifecycle", "state",
                                                     "defined", "build", "position", "lag",
                                                     "applied", "filtered", "parked", "skipped",
                                                     "last_error", "rebuild"});
    const Json balances = status(shop, "balances");
    CHECK(balances.at("defined") == false);
    CHECK(balances.at("lifecycle") == "async");
    CHECK(balances.at("state") == "active");
    CHECK(balances.at("position") == 5);
    CHECK(balances.at("applied") == 3);
    CHECK(balances.at("filtered") == 2);
    CHECK(balances.at("lag") == 0);
    CHECK(shop.bank_records({"projections", "status", "balances"}).at(0).at("defined") == true);
    CHECK(shop.run({"projections", "status", "nothing"}).code == 3);
    CHECK(shop.records({"stats"}).at(0).at("projections").at("count") == 2);

    for (const process::Arguments& needs_program :
         {process::Arguments{"rebuild", "balances"}, process::Arguments{"rebuild", "--all"},
          process::Arguments{"run"}, process::Arguments{"resume", "balances"}}) {
        process::Arguments arguments{"projections"};
        arguments.insert(arguments.end(), needs_program.begin(), needs_program.end());
        const auto result = shop.run(arguments);
        INFO(result.err);
        CHECK(result.code == 3);
        CHECK(result.err.find("the program that defines") != std::string::npos);
    }
}

TEST_CASE("a program lists its projections before they were ever fed") {
    const Shop shop;
    open_accounts(shop);
    const auto listed = shop.bank_records({"projections", "list"});
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].at("state") == "absent");
    CHECK(listed[0].at("defined") == true);
}

TEST_CASE("rebuild makes the model anew and prints what it did") {
    const Shop shop;
    open_accounts(shop);
    REQUIRE(shop.bank({"projections", "run", "--once"}).code == 0);
    const int build = status(shop, "balances").at("build").get<int>();

    const auto one = shop.bank({"projections", "rebuild", "balances", "--json"});
    INFO(one.err);
    REQUIRE(one.code == 0);
    CHECK(one.err.empty());
    CHECK(keys(one.out) == std::vector<std::string>{"name", "version", "build", "position",
                                                    "scanned", "resumed", "took_ms"});
    CHECK(Json::parse(one.out).at("position") == 5);
    CHECK(status(shop, "balances").at("build").get<int>() > build);
    CHECK(cents(shop, "account-1") == 101);

    CHECK(shop.bank_records({"projections", "rebuild", "--all"}).size() == 2);
    CHECK(shop.bank_records({"projections", "rebuild", "owners", "balances"}).size() == 2);
    CHECK(shop.bank({"projections", "rebuild"}).code == 2);
    CHECK(shop.bank({"projections", "rebuild", "--all", "balances"}).code == 2);
    CHECK(shop.bank({"projections", "rebuild", "nothing"}).code == 3);
}

TEST_CASE("progress is drawn on a terminal and nowhere else") {
    const Shop shop;
    open_accounts(shop);
    const auto plain = shop.bank({"projections", "rebuild", "balances"});
    CHECK(plain.err.empty());
    const auto drawn = shop.run(
        {"projections", "rebuild", "balances"},
        {.program = BANK_PROGRAM, .environment = {"TERM=xterm"}, .stderr_is_terminal = true});
    CHECK(drawn.code == 0);
    CHECK(drawn.err.find("balances  ") != std::string::npos);
    CHECK(drawn.err.find(" % ") != std::string::npos);
    CHECK(drawn.out.find("balances") != std::string::npos);
}

namespace {

/// Commands that name nothing, or give no reason, end with an error.
void expect_nothing_done(const Shop& shop) {
    const auto code = [&](process::Arguments arguments) {
        arguments.insert(arguments.begin(), "projections");
        return shop.bank(std::move(arguments)).code;
    };
    CHECK(code({"discard", "owners", "--key", "account-2", "--reason", ""}) == 2);
    CHECK(code({"discard", "owners", "--key", "account-2", "--reason", " \n"}) == 2);
    CHECK(code({"discard", "owners", "--key", "", "--position", "3", "--reason", "x"}) == 2);
    CHECK(code({"discard", "owners", "--key", "nosuch", "--reason", "x"}) == 3);
    CHECK(code({"discard", "owners", "--position", "1", "--reason", "x"}) == 3);
    CHECK(code({"replay", "owners", "--key", "nosuch"}) == 3);
    CHECK(code({"replay", "owners", "--key", ""}) == 2);
    CHECK(code({"replay", "owners", "--key", "account-2"}) == 0);  // it is there, and fails again
    CHECK(status(shop, "owners").at("parked") == 1);
}

}  // namespace

TEST_CASE("what an operator names has to be there, and a reason has to say something [E22]") {
    const Shop shop;
    open_accounts(shop);
    REQUIRE(shop.bank({"projections", "run", "--once"}).code == 0);
    expect_nothing_done(shop);
}

TEST_CASE("parked events are listed and given up or tried again") {
    const Shop shop;
    open_accounts(shop);
    REQUIRE(shop.bank({"projections", "run", "--once"}).code == 0);

    const auto result = shop.run({"projections", "parked", "owners", "--json"});
    const auto lines = process::lines(result.out);
    REQUIRE(lines.size() == 1);
    CHECK(keys(lines[0]) ==
          std::vector<std::string>{"position", "key", "type", "error", "attempts", "parked_at"});
    CHECK(Json::parse(lines[0]).at("key") == "account-2");
    CHECK(lines[0].find("an owner without a name") != std::string::npos);

    const Json replayed = shop.bank_records({"projections", "replay", "owners"}).at(0);
    CHECK(replayed == Json{{"name", "owners"}, {"replayed", 0}, {"parked", 1}});

    CHECK(shop.bank({"projections", "discard", "owners", "--key", "account-2"}).code == 2);
    CHECK(shop.bank({"projections", "discard", "owners", "--reason", "x"}).code == 2);
    const Json discarded = shop.bank_records({"projections", "discard", "owners", "--key",
                                              "account-2", "--reason", "a test"})
                               .at(0);
    CHECK(discarded == Json{{"name", "owners"}, {"discarded", 1}, {"parked", 0}});
    CHECK(status(shop, "owners").at("skipped") == 1);
    CHECK(shop.run({"projections", "parked", "nothing"}).code == 3);
}
