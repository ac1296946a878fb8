#include <daybook/messaging/messaging.hpp>
#include <doctest/doctest.h>

#include "bank.hpp"
#include "shop.hpp"

namespace {

/// A transport that accepts only messages to `good`.
class Refusing final : public daybook::Transport {
public:
    daybook::Delivery deliver(const daybook::Message& message) override {
        if (message.topic == "good") return {};
        return {daybook::Delivery::Status::rejected, "nobody is there", "the desk"};
    }
};

/// Two parked messages with the keys a and b, and one of key a that waits behind the first.
void park(const Shop& shop) {
    auto store = daybook::EventStore::open(shop.store());
    const auto publish = [&](const char* key, const char* owner) {
        store.transact([&](daybook::Transaction& tx) {
            tx.publish("police", bank::CheckOwner{owner}, {.key = key, .headers = "{\"h\":1}"});
        });
    };
    publish("a", "Ada");
    publish("b", "Bob");
    Refusing transport;
    daybook::Relay relay{store, transport};
    while (relay.run_once() > 0) continue;
    publish("a", "Ann");
    relay.run_once();
}

}  // namespace

TEST_CASE("what waits in the outbox is listed with what it waits for") {
    const Shop shop;
    park(shop);
    const auto result = shop.run({"outbox", "list", "--json"});
    const auto lines = process::lines(result.out);
    REQUIRE(lines.size() == 1);
    CHECK(keys(lines[0]) ==
          std::vector<std::string>{"id", "topic", "key", "type", "schema_version", "attempts",
                                   "created_at", "due_at", "correlation", "causation", "reply_to",
                                   "headers", "data", "waits_for", "until", "last_error"});
    const Json message = Json::parse(lines[0]);
    CHECK(message.at("topic") == "police");
    CHECK(message.at("key") == "a");
    CHECK(message.at("type") == "check_owner");
    CHECK(message.at("waits_for") == "blocked");
    CHECK(message.at("data") == Json{{"owner", "Ann"}});
    CHECK(message.at("headers") == Json{{"h", 1}});
    CHECK(shop.records({"outbox", "list", "--key", "b"}).empty());
    CHECK(shop.run({"outbox", "list"}).out.find("blocked") != std::string::npos);
}

TEST_CASE("the outbox is counted by what its messages wait for") {
    const Shop shop;
    park(shop);
    const auto result = shop.run({"outbox", "stats", "--json"});
    CHECK(keys(result.out) == std::vector<std::string>{"unsent", "waiting", "delayed", "retrying",
                                                       "blocked", "unhandled", "parked", "oldest",
                                                       "newest"});
    const Json stats = Json::parse(result.out);
    CHECK(stats.at("unsent") == 3);
    CHECK(stats.at("blocked") == 1);
    CHECK(stats.at("parked") == 2);
}

TEST_CASE("dead letters are listed and shown with their reason") {
    const Shop shop;
    park(shop);
    const auto result = shop.run({"outbox", "parked", "--json"});
    const auto lines = process::lines(result.out);
    REQUIRE(lines.size() == 2);
    CHECK(keys(lines[0]) ==
          std::vector<std::string>{
              "id",       "topic",      "key",       "type",        "schema_version",
              "attempts", "created_at", "due_at",    "correlation", "causation",
              "reply_to", "headers",    "data",      "number",      "reason",
              "error",    "receiver",   "parked_by", "parked_at",   "holds"});
    const Json letter = Json::parse(lines[0]);
    CHECK(letter.at("reason") == "rejected");
    CHECK(letter.at("error") == "nobody is there");
    CHECK(letter.at("receiver") == "the desk");
    CHECK(letter.at("holds") == 1);

    const std::string id = letter.at("id");
    CHECK(shop.records({"outbox", "show", id}).at(0) == letter);
    CHECK(shop.run({"outbox", "show", id}).out.find("error: nobody is there\n") !=
          std::string::npos);
    CHECK(shop.run({"outbox", "show", "0190a0b0-0000-7000-8000-000000000001"}).code == 3);
    CHECK(shop.run({"outbox", "show", "7"}).code == 2);
}

TEST_CASE("dead letters go back into the outbox and a dry run only says which") {
    const Shop shop;
    park(shop);
    const auto planned = shop.run({"outbox", "replay", "--key", "a", "--dry-run", "--json"});
    CHECK(keys(planned.out) == std::vector<std::string>{"id", "action", "done"});
    CHECK(Json::parse(planned.out).at("done") == false);
    CHECK(shop.records({"outbox", "parked"}).size() == 2);

    const auto done = shop.records({"outbox", "replay", "--key", "a"});
    REQUIRE(done.size() == 1);
    CHECK(done[0].at("action") == "replay");
    CHECK(done[0].at("done") == true);
    CHECK(done[0].at("id") == Json::parse(planned.out).at("id"));
    CHECK(shop.records({"outbox", "parked"}).size() == 1);
    CHECK(shop.records({"outbox", "list"}).size() == 2);
    CHECK(shop.records({"outbox", "replay", "--all"}).size() == 1);
}

TEST_CASE("a dead letter that cannot be replayed is named beside those that were [A3]") {
    const Shop shop;
    park(shop);
    const std::string id = shop.records({"outbox", "parked", "--key", "b"}).at(0).at("id");
    auto store = daybook::EventStore::open(shop.store());
    store.transact([&](daybook::Transaction& tx) {
        tx.publish("police", bank::CheckOwner{"Eve"},
                   {.key = "b", .id = daybook::EventId::parse(id)});
    });
    const auto replayed = shop.run({"outbox", "replay", "--all", "--json"});
    CHECK(replayed.code == 1);  // what was done is not to be done again
    CHECK(Json::parse(replayed.out).at("done") == true);
    CHECK(replayed.err.find(id) != std::string::npos);
    CHECK(replayed.err.find("replay of 1 message") != std::string::npos);
    CHECK(shop.records({"outbox", "parked"}).size() == 1);
}

TEST_CASE("replaying or discarding missing dead letters is no success [E22]") {
    const Shop shop;
    park(shop);
    const auto code = [&](process::Arguments arguments) {
        arguments.insert(arguments.begin(), "outbox");
        return shop.run(std::move(arguments)).code;
    };
    for (const std::string action : {"replay", "discard"}) {
        const auto with = [&](process::Arguments which) {
            which.insert(which.begin(), action);
            if (action == "discard") which.insert(which.end(), {"--reason", "x"});
            return code(std::move(which));
        };
        CHECK(with({"--key", "nosuch"}) == 3);
        CHECK(with({"--topic", "nosuch"}) == 3);
        CHECK(with({"--key", "nosuch", "--dry-run"}) == 3);
        CHECK(with({"--topic", "police", "--key", ""}) == 2);
        CHECK(with({"--key", ""}) == 2);
    }
    CHECK(code({"discard", "--key", "a", "--reason", " "}) == 2);
    CHECK(shop.records({"outbox", "parked"}).size() == 2);
}

TEST_CASE("dead letters are discarded with a reason and never by accident") {
    const Shop shop;
    park(shop);
    CHECK(shop.run({"outbox", "discard", "--all"}).code == 2);
    CHECK(shop.run({"outbox", "discard", "--all", "--reason", ""}).code == 2);
    CHECK(shop.run({"outbox", "discard", "--reason", "old"}).code == 2);
    CHECK(shop.run({"outbox", "replay", "--all", "--key", "a"}).code == 2);
    CHECK(shop.records({"outbox", "parked"}).size() == 2);

    const std::string id = shop.records({"outbox", "parked", "--key", "b"}).at(0).at("id");
    CHECK(shop.records({"outbox", "discard", id, "--reason", "wrong desk"}).size() == 1);
    CHECK(shop.run({"outbox", "discard", id, "--reason", "wrong desk"}).code == 3);
    CHECK(shop.records({"outbox", "parked"}).size() == 1);
}
