#include <cstdint>

#include <doctest/doctest.h>
#include <signal.h>

#include "shop.hpp"

namespace {

std::vector<std::uint64_t> positions(const std::vector<Json>& events) {
    std::vector<std::uint64_t> all;
    for (const Json& event : events) all.push_back(event.at("position").get<std::uint64_t>());
    return all;
}

using Positions = std::vector<std::uint64_t>;

/// order-1, stock-1, order-2, order-1 with types a, b, c, b.
void fill(const Shop& shop) {
    const std::vector<std::pair<std::string, std::string>> events{
        {"order-1", "a"}, {"stock-1", "b"}, {"order-2", "c"}, {"order-1", "b"}};
    for (const auto& [stream, type] : events) {
        shop.records({"append", stream, "--type", type, "--data", "{\"k\":\"v\"}"});
    }
}

}  // namespace

TEST_CASE("the keys of an event are a promise") {
    const Shop shop;
    fill(shop);
    const auto result = shop.run({"read", "order-1", "--json"});
    const auto lines = process::lines(result.out);
    REQUIRE(lines.size() == 2);
    CHECK(keys(lines[0]) ==
          std::vector<std::string>{"stream", "version", "position", "type", "schema_version", "id",
                                   "recorded_at", "correlation", "causation", "metadata", "data"});
    const Json event = Json::parse(lines[1]);
    CHECK(event.at("stream") == "order-1");
    CHECK(event.at("version") == 2);
    CHECK(event.at("position") == 4);
    CHECK(event.at("type") == "b");
    CHECK(event.at("metadata").is_null());
    CHECK(event.at("causation").is_null());
    CHECK(event.at("correlation") == event.at("id"));
    CHECK(event.at("data") == Json{{"k", "v"}});
}

TEST_CASE("people see one line for each event") {
    const Shop shop;
    fill(shop);
    const auto lines = process::lines(shop.run({"read", "--all"}).out);
    REQUIRE(lines.size() == 4);
    CHECK(lines[3].find("order-1@2  b  {\"k\":\"v\"}") != std::string::npos);
}

TEST_CASE("a payload with line breaks stays on its line") {
    const Shop shop;
    shop.append_order("order-1", "{\n  \"a\": \"x\\ny\",\r\n  \"b\": 2\n}");
    const auto lines = process::lines(shop.run({"read", "--all", "--json"}).out);
    REQUIRE(lines.size() == 1);
    CHECK(Json::parse(lines[0]).at("data") == Json{{"a", "x\ny"}, {"b", 2}});
    CHECK(process::lines(shop.run({"read", "--all"}).out).size() == 1);
}

TEST_CASE("read prints the part that was requested") {
    const Shop shop;
    fill(shop);
    const auto read = [&](process::Arguments more) {
        more.insert(more.begin(), "read");
        return positions(shop.records(more));
    };
    CHECK(read({"--all"}) == Positions{1, 2, 3, 4});
    CHECK(read({"--all", "--from", "3"}) == Positions{3, 4});
    CHECK(read({"--all", "--limit", "2"}) == Positions{1, 2});
    CHECK(read({"--all", "--limit", "0"}).empty());
    CHECK(read({"--all", "--backward", "--limit", "3"}) == Positions{4, 3, 2});
    CHECK(read({"--all", "--backward", "--from", "2"}) == Positions{2, 1});
    CHECK(read({"--category", "order"}) == Positions{1, 3, 4});
    CHECK(read({"--category", "order", "--category", "stock"}) == Positions{1, 2, 3, 4});
    CHECK(read({"--type", "b"}) == Positions{2, 4});
    CHECK(read({"--category", "order", "--type", "b", "--type", "c"}) == Positions{3, 4});
    CHECK(read({"order-1"}) == Positions{1, 4});
    CHECK(read({"order-1", "--from", "2"}) == Positions{4});
    CHECK(read({"order-1", "--from", "9"}).empty());
    CHECK(read({"order-1", "--backward", "--limit", "1"}) == Positions{4});
    CHECK(read({"order-1", "--type", "b", "--limit", "1"}) == Positions{4});
}

TEST_CASE("a start beyond the end is reported [E22]") {
    const Shop shop;
    fill(shop);
    const auto log = shop.run({"read", "--all", "--from", "9"});
    CHECK(log.code == 0);
    CHECK(log.err == "--from 9 is beyond the end: the log ends at 4\n");
    CHECK(shop.run({"read", "order-1", "--from", "4"}).err.find("ends at 2") != std::string::npos);
    CHECK(shop.run({"read", "--all", "--from", "5"}).err.empty());
    CHECK(shop.run({"read", "--all", "--from", "9", "--backward"}).err.empty());
}

TEST_CASE("options of read that make no sense together are refused") {
    const Shop shop;
    fill(shop);
    CHECK(shop.run({"read"}).code == 2);
    CHECK(shop.run({"read", "order-1", "--all"}).code == 2);
    CHECK(shop.run({"read", "order-1", "--category", "order"}).code == 2);
    CHECK(shop.run({"read", "--all", "--follow", "--backward"}).code == 2);
    CHECK(shop.run({"read", "--all", "--limit", "-1"}).code == 2);
    CHECK(shop.run({"read", "--all", "--limit", "many"}).code == 2);
    CHECK(shop.run({"read", "--all", "--tag", "x"}).code == 2);
}

TEST_CASE("a stream without events is not found") {
    const Shop shop;
    fill(shop);
    const auto result = shop.run({"read", "order-77"});
    CHECK(result.code == 3);
    CHECK(result.err.find("order-77") != std::string::npos);
}

TEST_CASE("streams and events named like commands can be read") {
    const Shop shop;
    shop.append_order("append");
    shop.append_order("streams");
    CHECK(shop.records({"read", "append"}).size() == 1);
    CHECK(shop.records({"read", "streams"}).size() == 1);
}

TEST_CASE("follow sees what another process appends and ends cleanly on Ctrl-C" *
          doctest::test_suite("concurrent")) {
    const Shop shop;
    fill(shop);
    for (const process::Arguments& what :
         {process::Arguments{"--category", "order"}, process::Arguments{"order-1"}}) {
        process::Arguments arguments{"--store", shop.store(), "read", "--follow",
                                     "--json",  "--from",     "2"};
        arguments.insert(arguments.end(), what.begin(), what.end());
        process::Child child{arguments};
        const bool log = what.size() == 2;
        if (log) CHECK(Json::parse(child.read_line()).at("stream") == "order-2");
        CHECK(Json::parse(child.read_line()).at("stream") == "order-1");
        if (!log) {
            // The first pass of this loop has appended here.
            CHECK(Json::parse(child.read_line()).at("version") == 3);
        }
        shop.append_order("stock-1");
        shop.append_order("order-1");
        const Json seen = Json::parse(child.read_line());
        CHECK(seen.at("stream") == "order-1");
        CHECK(seen.at("version") == (log ? 3 : 4));

        child.send(log ? SIGINT : SIGTERM);
        const auto result = child.wait();
        CHECK(result.code == 0);
        CHECK(result.signal == 0);
        CHECK(result.out.empty());
        CHECK(result.err.empty());
    }
}

TEST_CASE("follow waits for a stream that is not there yet and ends at its limit" *
          doctest::test_suite("concurrent")) {
    const Shop shop;
    fill(shop);
    process::Child child{
        {"--store", shop.store(), "read", "order-9", "--follow", "--json", "--limit", "2"}};
    shop.append_order("order-9");
    CHECK(Json::parse(child.read_line()).at("version") == 1);
    shop.append_order("order-8");
    shop.append_order("order-9");
    CHECK(Json::parse(child.read_line()).at("version") == 2);
    CHECK(child.wait().code == 0);
}

TEST_CASE("an output that cannot be written is not reported as success") {
    const Shop shop;
    fill(shop);
    const auto result = shop.run({"read", "--all"}, {.out = process::Options::Stdout::full_disk});
    CHECK(result.code == 6);
    CHECK(result.err.find("stdout") != std::string::npos);
}

TEST_CASE("a reader that closes the pipe ends a command without a message [E22]") {
    const Shop shop;
    fill(shop);
    const auto result = shop.run({"read", "--all"}, {.out = process::Options::Stdout::closed_pipe});
    CHECK(result.code == 0);
    CHECK(result.err.empty());
}

TEST_CASE("follow ends when its reader has left and nothing more comes [E22]" *
          doctest::test_suite("concurrent")) {
    const Shop shop;
    fill(shop);
    for (const std::string what : {"--all", "order-1"}) {
        process::Child child{{"--store", shop.store(), "read", what, "--follow", "--json"}};
        CHECK_FALSE(child.read_line().empty());
        child.close_stdout();
        const auto result = child.wait();  // hangs if the child does not notice
        CHECK(result.code == 0);
        CHECK(result.err.empty());
    }
}
