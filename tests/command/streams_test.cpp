#include <doctest/doctest.h>

#include "bank.hpp"
#include "shop.hpp"
#include "store_location.hpp"

TEST_CASE("streams are listed by name with how much they hold") {
    const Shop shop;
    shop.append_order("order-2");
    shop.append_order("order-1");
    shop.append_order("stock-1");
    shop.append_order("order-2");

    const auto all = shop.run({"streams", "--json"});
    const auto lines = process::lines(all.out);
    REQUIRE(lines.size() == 3);
    CHECK(keys(lines[0]) == std::vector<std::string>{"stream", "category", "version"});
    CHECK(Json::parse(lines[1]) ==
          Json{{"stream", "order-2"}, {"category", "order"}, {"version", 2}});

    CHECK(shop.records({"streams", "--category", "stock"}).at(0).at("stream") == "stock-1");
    CHECK(shop.records({"streams", "--category", "order", "--limit", "1"}).size() == 1);
    CHECK(shop.records({"streams", "--category", "none"}).empty());

    CHECK(shop.run({"streams"}).out ==
          "STREAM   VERSION\n"
          "order-1        1\n"
          "order-2        2\n"
          "stock-1        1\n");
}

TEST_CASE("more streams than one page holds are all listed once") {
    const Shop shop;
    shop.append_order("a-0");
    {
        auto store =
            daybook::EventStore::open(shop.store(), {.durability = daybook::Durability::off});
        store.transact([](daybook::Transaction& tx) {
            for (int i = 0; i < 2500; ++i) {
                tx.append("many-" + std::to_string(i), daybook::no_stream, {bank::Deposited{i}});
            }
        });
    }
    const auto listed = shop.records({"streams", "--category", "many"});
    REQUIRE(listed.size() == 2500);
    CHECK(shop.records({"streams"}).size() == 2501);
    CHECK(shop.records({"streams", "--limit", "1500"}).size() == 1500);
}

TEST_CASE("the keys of the numbers about a store are a promise") {
    const Shop shop;
    shop.append_order("order-1");
    shop.append_order("stock-1");
    const auto result = shop.run({"stats", "--json"});
    REQUIRE(result.code == 0);
    CHECK(keys(result.out) == std::vector<std::string>{"store", "engine", "events", "streams",
                                                       "categories", "event_types", "projections",
                                                       "outbox", "sagas"});
    const Json stats = Json::parse(result.out);
    CHECK(stats.at("store") == shop.store());
    CHECK(stats.at("engine").get<std::string>().starts_with(
        daybook::test::on_postgres() ? "postgres" : "sqlite"));
    CHECK(stats.at("events") == 2);
    CHECK(stats.at("streams") == 2);
    CHECK(stats.at("categories") == 2);
    CHECK(stats.at("event_types") == 1);
    CHECK(stats.at("projections") ==
          Json{{"count", 0}, {"lag_max", 0}, {"halted", 0}, {"parked", 0}});
    CHECK(stats.at("outbox").at("unsent") == 0);
    CHECK(stats.at("sagas") == Json{{"count", 0}, {"unfinished", 0}, {"incidents", 0}});

    const auto text = shop.run({"stats"}).out;
    CHECK(text.find("events: 2\n") != std::string::npos);
    CHECK(text.find("  unsent: 0\n") != std::string::npos);
}
