#include <doctest/doctest.h>

#include "shop.hpp"

namespace {

const std::string id = "0190a0b0-0000-7000-8000-000000000001";

}  // namespace

TEST_CASE("append prints where the events are") {
    const Shop shop;
    const auto result = shop.run({"append", "order-1", "--type", "t", "--data", "1", "--json"});
    CHECK(result.code == 0);
    REQUIRE(process::lines(result.out).size() == 1);
    CHECK(keys(result.out) ==
          std::vector<std::string>{"stream", "version", "position", "events", "repeated"});
    const Json printed = Json::parse(result.out);
    CHECK(printed == Json{{"stream", "order-1"},
                          {"version", 1},
                          {"position", 1},
                          {"events", 1},
                          {"repeated", false}});
    const auto text = shop.run({"append", "order-1", "--type", "t", "--data", "1"});
    CHECK(text.out == "order-1 has version 2 at position 2\n");
    CHECK(text.err.empty());
}

TEST_CASE("append creates a missing store and reports that on stderr only") {
    const Shop shop;
    const auto result = shop.run({"append", "order-1", "--type", "t", "--data", "1", "--json"});
    CHECK(result.err == "created the store " + shop.store() + "\n");
    CHECK(process::lines(result.out).size() == 1);
    CHECK(shop.run({"append", "order-1", "--type", "t", "--data", "1"}).err.empty());
}

TEST_CASE("an append is refused before a store is created for it [E21]") {
    const Shop shop;
    const auto expect_refused = [&](const std::string& input, int code,
                                    process::Arguments more = {}) {
        process::Arguments arguments{"append", "order-1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto result = shop.run(arguments, {.input = input});
        INFO(input.substr(0, 80));
        INFO(result.err);
        CHECK(result.code == code);
        CHECK_FALSE(shop.has_store());
    };
    const std::string one = R"({"type":"t","data":1,"id":")" + id + "\"}\n";
    expect_refused(R"({"type":"t","data":1,"id":"00000000-0000-0000-0000-000000000000"})", 2);
    expect_refused(R"({"type":"t","data":1,"metadata":[1]})", 2);
    expect_refused(R"({"type":"t","data":")" + std::string(9'000'000, 'a') + "\"}", 2);
    expect_refused(one + one, 2);
    const std::string good = R"({"type":"t","data":1})";
    expect_refused(good, 4, {"--expect", "7"});
    expect_refused(good, 4, {"--expect", "exists"});
    CHECK(shop.run({"append", "order-1"}, {.input = good}).code == 0);
}

TEST_CASE("a line with a key that stands twice is refused, and not half of it stored [E21]") {
    const Shop shop;
    for (const std::string line :
         {R"({"type":"paid","data":{"cents":500},"data":{"note":"by card"}})",
          R"({"type":"paid","type":"refused","data":1})", R"({"type":"t","data":1,"d\u0061ta":2})",
          R"({"stream":"a","stream":"b","type":"t","data":1})"}) {
        const auto result = shop.run({"append", "order-1"}, {.input = line});
        INFO(line);
        CHECK(result.code == 2);
        CHECK(result.err.find("twice") != std::string::npos);
    }
    CHECK_FALSE(shop.has_store());
}

TEST_CASE("a line is refused with the reason, and not only as no JSON [E21]") {
    const Shop shop;
    const auto expect = [&](const std::string& data, const std::string& part) {
        const auto line =
            shop.run({"append", "order-1"}, {.input = R"({"type":"t","data":)" + data + "}"});
        CHECK(line.code == 2);
        CHECK_MESSAGE(line.err.find("stdin, line 1: the line " + part) != std::string::npos,
                      line.err);
        const auto option = shop.run({"append", "order-1", "--type", "t", "--data", data});
        CHECK(option.code == 2);
        CHECK_MESSAGE(option.err.find("its payload " + part) != std::string::npos, option.err);
    };
    expect(R"("\ud800")", "has a text with an escape that stands for no character");
    expect("1e400", "has a number");
    expect(std::string(1'100, '[') + std::string(1'100, ']'), "nests objects and arrays deeper");
    expect("\"\xff\"", "is not UTF-8");
    expect("\"a\tb\"", "has a text with a raw control character");
    expect("nope", "is not JSON");
    const auto mark =
        shop.run({"append", "order-1"}, {.input = "\xef\xbb\xbf{\"type\":\"t\",\"data\":1}"});
    CHECK(mark.err.find("byte order mark") != std::string::npos);
    CHECK_FALSE(shop.has_store());
}

TEST_CASE("a payload with line breaks is copied byte by byte and a repeat is one [E21]") {
    const Shop from;
    const Shop to;
    const std::string payload = "{\n\t\"a\": 1.50,\r\n  \"b\": \"x\\\" \\n {\"\n}";
    const std::string metadata = "{\"who\":\n\"Ada\"}";
    REQUIRE(
        from.run({"append", "order-1", "--type", "t", "--data", payload, "--metadata", metadata})
            .code == 0);
    const auto printed = from.run({"read", "order-1", "--json"});
    REQUIRE(process::lines(printed.out).size() == 1);
    const Json line = Json::parse(printed.out);
    CHECK(line.at("data_text") == payload);
    CHECK(line.at("metadata_text") == metadata);
    CHECK(line.at("data") == Json::parse(payload));

    for (const Shop* shop : {&to, &from, &to}) {
        const auto copied = shop->run({"append", "order-1", "--json"}, {.input = printed.out});
        INFO(copied.err);
        REQUIRE(copied.code == 0);
    }
    CHECK(to.records({"read", "order-1"}).at(0).at("data_text") == payload);
    CHECK(to.records({"read", "order-1"}).size() == 1);

    Json changed = line;
    changed["data"]["b"] = "y";
    const auto refused = to.run({"append", "order-2"}, {.input = changed.dump()});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("'data_text'") != std::string::npos);
    changed.erase("data_text");
    changed.erase("id");
    CHECK(to.run({"append", "order-2"}, {.input = changed.dump()}).code == 0);
}

TEST_CASE("a wrong call does not leave an empty store behind") {
    const Shop shop;
    CHECK(shop.run({"append", "or der", "--type", "t", "--data", "1"}).code == 2);
    CHECK(shop.run({"append", "order-1"}).code == 2);
    CHECK(shop.run({"append", "order-1", "--type", "t"}).code == 2);
    CHECK_FALSE(shop.has_store());
}

TEST_CASE("all lines of stdin are one transaction") {
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

TEST_CASE("an unknown member of a line is refused by name and not dropped") {
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
