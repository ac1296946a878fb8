#include <doctest/doctest.h>

#include "shop.hpp"

// A program's own commands stand beside those that every program has.

TEST_CASE("a program has the shared commands and its own under its own name") {
    const Shop shop;
    const auto help = shop.bank({"--help"});
    CHECK(help.out.find("Keeps accounts") != std::string::npos);
    CHECK(help.out.find("pay-in") != std::string::npos);
    CHECK(help.out.find("projections") != std::string::npos);
    CHECK(shop.bank({"--version"}).out == "bank 7.8.9\n");
    const auto wrong = shop.bank({"streams"});
    CHECK(wrong.code == 3);
    CHECK(wrong.err.starts_with("bank: not_found: "));
}

TEST_CASE("an own command gets its arguments with fallbacks and repetitions") {
    const Shop shop;
    CHECK(shop.bank_records({"pay-in", "account-1"}).at(0) == Json{{"account", "account-1"},
                                                                   {"cents", 100},
                                                                   {"version", 1},
                                                                   {"notes", Json::array()},
                                                                   {"loud", false}});
    CHECK(shop.bank_records(
                  {"pay-in", "--loud", "--note", "a", "--cents", "7", "account-1", "--note", "b c"})
              .at(0) == Json{{"account", "account-1"},
                             {"cents", 7},
                             {"version", 2},
                             {"notes", {"a", "b c"}},
                             {"loud", true}});
    CHECK(shop.records({"read", "account-1"}).size() == 2);
}

TEST_CASE("wrong arguments of an own command are usage errors") {
    const Shop shop;
    CHECK(shop.bank({"pay-in"}).code == 2);
    CHECK(shop.bank({"pay-in", "account-1", "--cents", "much"}).code == 2);
    CHECK(shop.bank({"pay-in", "account-1", "--cents", "1", "--cents", "2"}).code == 2);
    CHECK(shop.bank({"pay-in", "account-1", "extra"}).code == 2);
    CHECK_FALSE(shop.has_store());
}

TEST_CASE("an exception of an own command is reported and ends with the code for its kind") {
    const Shop shop;
    const auto rule = shop.bank({"pay-in", "account-1", "--cents", "2000000"});
    CHECK(rule.code == 1);
    CHECK(rule.err.find("bank: failure: nobody pays in so much\n") != std::string::npos);
    const auto kind = shop.bank({"pay-in", "no stream", "--cents", "1"});
    CHECK(kind.code == 2);
    CHECK(kind.err.find("bank: invalid: ") != std::string::npos);
}

TEST_CASE("an own command may have a clock of its own") {
    const Shop shop;
    REQUIRE(shop.run({"append", "account-1", "--type", "account.opened", "--data",
                      "{\"owner\":\"Ada\"}"})
                .code == 0);
    REQUIRE(shop.bank({"work"}).code == 0);
    CHECK(shop.records({"sagas", "list"}).at(0).at("updated_at") == "2016-07-04T00:00:00.000000Z");
}
