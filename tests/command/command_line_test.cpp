#include <doctest/doctest.h>

#include "shop.hpp"

TEST_CASE("a mistake in the command line is a usage error and says what helps") {
    const Shop shop;
    shop.append_order("order-1");
    const auto expect = [&](process::Arguments arguments, const std::string& part) {
        const auto result = shop.run(arguments);
        INFO(result.err);
        CHECK(result.code == 2);
        CHECK(result.out.empty());
        CHECK(result.err.starts_with("daybook: usage: "));
        CHECK(result.err.find(part) != std::string::npos);

        arguments.emplace_back("--json");
        const auto typed = shop.run(arguments);
        CHECK(typed.code == 2);
        CHECK(Json::parse(typed.err).at("error") == "usage");
    };
    expect({}, "needs a command");
    expect({"appendd"}, "no command 'appendd'");
    expect({"projections"}, "'daybook projections' needs a command");
    expect({"projections", "rebuidl"}, "no command 'rebuidl'");
    expect({"append"}, "STREAM");
    expect({"append", "order-1", "--typ", "t"}, "--typ");
    expect({"read", "order-1", "order-2"}, "order-2");
    expect({"read", "--all", "--from", "x"}, "whole number");
    expect({"read", "--all", "--from"}, "--from");
    expect({"outbox", "discard", "--all"}, "--reason");
}

TEST_CASE("help goes to stdout and is no failure" * doctest::test_suite("no-store")) {
    const auto top = process::run({"--help"});
    CHECK(top.code == 0);
    CHECK(top.err.empty());
    for (const std::string word : {"append", "read", "streams", "stats", "projections", "outbox",
                                   "sagas", "--store", "DAYBOOK_STORE", "--json"}) {
        CHECK(top.out.find(word) != std::string::npos);
    }
    const auto one = process::run({"projections", "rebuild", "--help"});
    CHECK(one.code == 0);
    CHECK(one.out.find("daybook projections rebuild") != std::string::npos);
    CHECK(one.out.find("--all") != std::string::npos);
    CHECK(process::run({"--version"}).out.starts_with("daybook "));
}

TEST_CASE("the store is named by an option or the environment and the option wins") {
    const Shop shop;
    const Shop other;
    shop.append_order("order-1");
    other.append_order("stock-1");
    const process::Options environment{.environment = {"DAYBOOK_STORE=" + shop.store()}};

    const auto by_environment = process::run({"streams", "--json"}, environment);
    CHECK(Json::parse(by_environment.out).at("stream") == "order-1");
    for (const process::Arguments& arguments :
         {process::Arguments{"--store", other.store(), "streams", "--json"},
          process::Arguments{"streams", "--json", "--store", other.store()}}) {
        const auto by_option = process::run(arguments, environment);
        CHECK(Json::parse(by_option.out).at("stream") == "stock-1");
    }
    const auto nowhere = process::run({"streams"});
    CHECK(nowhere.code == 2);
    CHECK(nowhere.err.find("DAYBOOK_STORE") != std::string::npos);
}

TEST_CASE("colour is for terminals and NO_COLOR switches it off" *
          doctest::test_suite("no-store")) {
    const process::Arguments wrong{"streams", "--store", "/nowhere/at/all.db"};
    const std::string escape = "\x1b[";
    CHECK(process::run(wrong).err.find(escape) == std::string::npos);
    const auto on_terminal =
        process::run(wrong, {.environment = {"TERM=xterm"}, .stderr_is_terminal = true});
    CHECK(on_terminal.err.find(escape) != std::string::npos);
    const auto switched_off = process::run(
        wrong, {.environment = {"TERM=xterm", "NO_COLOR=1"}, .stderr_is_terminal = true});
    CHECK(switched_off.err.find(escape) == std::string::npos);
    const auto dumb =
        process::run(wrong, {.environment = {"TERM=dumb"}, .stderr_is_terminal = true});
    CHECK(dumb.err.find(escape) == std::string::npos);
}
