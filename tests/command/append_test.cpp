#include <doctest/doctest.h>

#include "shop.hpp"

namespace {

const std::string id = "0190a0b0-0000-7000-8000-000000000001";

}  // namespace

TEST_CASE("append answers with where the events are") {
    const Shop shop;
    const auto result = shop.run({"append", "order-1", "--type", "t", "--data", "1", "--json"});
    CHECK(result.code == 0);
    REQUIRE(process::lines(result.out).size() == 1);
    CHECK(keys(result.out) ==
          std::vector<std::string>{"stream", "version", "position", "events", "repeated"});
    const Json answer = Json::parse(result.out);
    CHECK(answer == Json{{"stream", "order-1"},
                         {"version", 1},
                         {"position", 1},
                         {"events", 1},
                         {"repeated", false}});
    const auto text = shop.run({"append", "order-1", "--type", "t", "--data", "1"});
    CHECK(text.out == "order-1 has version 2 at position 2\n");
    CHECK(text.err.empty());
}

TEST_CASE("append makes a missing store and says so on stderr only") {
    const Shop shop;
    const auto result = shop.run({"append", "order-1", "--type", "t", "--data", "1", "--json"});
    CHECK(result.err == "created the store " + shop.store() + "\n");
    CHECK(process::lines(result.out).size() == 1);
    CHECK(shop.run({"append", "order-1", "--type", "t", "--data", "1"}).err.empty());
}

TEST_CASE("a wrong call does not leave an empty store behind") {
    const Shop shop;
    CHECK(shop.run({"append", "or der", "--type", "t", "--data", "1"}).code == 2);
    CHECK(shop.run({"append", "order-1"}).code == 2);
    CHECK(shop.run({"append", "order-1", "--type", "t"}).code == 2);
    CHECK_FALSE(shop.has_store());
}

TEST_CASE("all lines of stdin are one unit") {
    const Shop shop;
    const std::string good = "{\"type\":\"t\",\"data\":1}\n";
    const auto refused = shop.run({"append", "order-1"}, {.input = good + "{\"type\":\"t\"}\n"});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("line 2") != std::string::npos);
    CHECK(refused.err.find("'data' is missing") != std::string::npos);
    CHECK_FALSE(shop.has_store());

    const auto result = shop.run({"append", "order-1", "--json"}, {.input = good + "\n" + good});
    CHECK(result.code == 0);
    CHECK(Json::parse(result.out).at("events") == 2);
    CHECK(Json::parse(result.out).at("version") == 2);
}

TEST_CASE("every part of a line is stored") {
    const Shop shop;
    const std::string line = R"({"metadata":{"who":"Ada"},"schema_version":3,"id":")" + id +
                             R"(","correlation":"0190a0b0-0000-7000-8000-000000000002",)" +
                             R"("causation":"0190a0b0-0000-7000-8000-000000000003",)" +
                             R"("data":[1.10,"]\"}"],"type":"t"})";
    REQUIRE(shop.run({"append", "order-1"}, {.input = line}).code == 0);
    const Json event = shop.records({"read", "order-1"}).at(0);
    CHECK(event.at("type") == "t");
    CHECK(event.at("schema_version") == 3);
    CHECK(event.at("id") == id);
    CHECK(event.at("correlation") == "0190a0b0-0000-7000-8000-000000000002");
    CHECK(event.at("causation") == "0190a0b0-0000-7000-8000-000000000003");
    CHECK(event.at("metadata") == Json{{"who", "Ada"}});
    const auto text = shop.run({"read", "order-1", "--json"});
    CHECK(text.out.find(R"("data":[1.10,"]\"}"])") != std::string::npos);
}

TEST_CASE("the options of a single event are stored") {
    const Shop shop;
    shop.records({"append", "order-1", "--type", "t", "--data", "{\"a\":1}", "--metadata",
                  "{\"who\":\"Ada\"}", "--schema-version", "2", "--id", id});
    const Json event = shop.records({"read", "order-1"}).at(0);
    CHECK(event.at("data") == Json{{"a", 1}});
    CHECK(event.at("metadata") == Json{{"who", "Ada"}});
    CHECK(event.at("schema_version") == 2);
    CHECK(event.at("id") == id);
}

TEST_CASE("a part that nobody knows is refused by name and not dropped") {
    const Shop shop;
    const auto expect = [&](const std::string& line, const std::string& text) {
        const auto result = shop.run({"append", "order-1"}, {.input = line});
        INFO(result.err);
        CHECK(result.code == 2);
        CHECK(result.err.find("stdin, line 1") != std::string::npos);
        CHECK(result.err.find(text) != std::string::npos);
    };
    expect(R"({"type":"t","data":1,"tags":["customer:7"]})", "'tags'");
    expect(R"({"type":"t","data":1,"metdata":{}})", "'metdata'");
    expect(R"({"type":7,"data":1})", "'type' is a text");
    expect(R"({"type":"t","data":1,"schema_version":"1"})", "'schema_version'");
    expect(R"({"type":"t","data":1,"schema_version":0})", "'schema_version'");
    expect(R"({"type":"t","data":1,"id":"7"})", "7");
    expect(R"({"type":"no type","data":1})", "no type");
    expect(R"([1])", "not a JSON object");
    CHECK_FALSE(shop.has_store());
}

TEST_CASE("options that need each other say so") {
    const Shop shop;
    CHECK(shop.run({"append", "order-1", "--type", "t"}).err.find("--data") != std::string::npos);
    CHECK(shop.run({"append", "order-1", "--data", "1"}).err.find("--type") != std::string::npos);
    CHECK(shop.run({"append", "order-1", "--type", "t", "--data", "1", "--schema-version", "0"})
              .code == 2);
}

TEST_CASE("what read prints append takes and another store has the same events") {
    const Shop from;
    const Shop to;
    const std::string batch = R"({"type":"a.b","data":{"x":1.50},"metadata":{"m":[]}})"
                              "\n"
                              R"({"type":"c","data":null,"schema_version":2})"
                              "\n";
    REQUIRE(from.run({"append", "order-1"}, {.input = batch}).code == 0);
    const auto printed = from.run({"read", "order-1", "--json"});
    REQUIRE(to.run({"append", "order-1"}, {.input = printed.out}).code == 0);

    const auto without_time = [](const Shop& shop) {
        auto events = shop.records({"read", "--all"});
        for (Json& event : events) event.erase("recorded_at");
        return events;
    };
    CHECK(without_time(to) == without_time(from));
    // And once more: it is a repeat.
    const auto again = to.run({"append", "order-1", "--json"}, {.input = printed.out});
    CHECK(Json::parse(again.out).at("repeated") == true);
    CHECK(Json::parse(from.run({"append", "order-1", "--json"}, {.input = printed.out}).out)
              .at("repeated") == true);
}
