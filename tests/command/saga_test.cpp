#include <doctest/doctest.h>

#include "bank.hpp"
#include "shop.hpp"

namespace {

/// Starts two sagas, each waiting for a reply that never comes.
void start_sagas(const Shop& shop) {
    {
        auto store = daybook::EventStore::open(shop.store());
        store.append("account-1", daybook::no_stream, {bank::Opened{"Ada"}});
        store.append("account-2", daybook::no_stream, {bank::Opened{"Bob"}});
    }
    const auto worked = shop.bank({"work"});
    INFO(worked.err);
    REQUIRE(worked.code == 0);
}

}  // namespace

TEST_CASE("sagas are listed with their steps") {
    const Shop shop;
    start_sagas(shop);
    const auto lines = process::lines(shop.run({"sagas", "list", "--json"}).out);
    REQUIRE(lines.size() == 2);
    CHECK(keys(lines[0]) == std::vector<std::string>{"saga", "definition", "key", "generation",
                                                     "definition_version", "status", "step",
                                                     "error", "waiting_since", "due_at",
                                                     "updated_at"});
    const Json saga = Json::parse(lines[0]);
    CHECK(saga.at("saga") == "admission/1");
    CHECK(saga.at("status") == "running");
    CHECK(saga.at("step") == "check");

    CHECK(shop.records({"sagas", "list", "--limit", "1"}).size() == 1);
    CHECK(shop.records({"sagas", "list", "--unfinished"}).size() == 2);
    CHECK(shop.records({"sagas", "list", "--status", "completed"}).empty());
    CHECK(shop.records({"sagas", "list", "--definition", "other"}).empty());
    CHECK(shop.run({"sagas", "list", "--status", "bored"}).code == 2);
    CHECK(shop.run({"sagas", "list"}).out.find("admission/2") != std::string::npos);
}

TEST_CASE("a saga is explained and shown with its history") {
    const Shop shop;
    start_sagas(shop);
    const auto explained = shop.run({"sagas", "explain", "admission/1", "--json"});
    const std::vector<std::string> promised{"saga",
                                            "definition",
                                            "key",
                                            "generation",
                                            "definition_version",
                                            "status",
                                            "reason",
                                            "step",
                                            "waiting_for",
                                            "since",
                                            "until",
                                            "legal_actions",
                                            "journal_version",
                                            "started_at",
                                            "updated_at",
                                            "deadline_at",
                                            "data",
                                            "steps"};
    CHECK(keys(explained.out) == promised);
    const Json explanation = Json::parse(explained.out);
    CHECK(explanation.at("data") == Json{{"owner", "Ada"}});
    CHECK(explanation.at("waiting_for").get<std::string>().find("check") != std::string::npos);
    REQUIRE(explanation.at("steps").size() == 1);
    CHECK(explanation.at("steps")[0].at("status") == "running");

    auto with_history = promised;
    with_history.emplace_back("history");
    const auto shown = shop.run({"sagas", "show", "admission/1", "--json"});
    CHECK(keys(shown.out) == with_history);
    const Json history = Json::parse(shown.out).at("history");
    REQUIRE(history.size() == 1);
    CHECK(keys(history[0].dump()).size() == 7);

    CHECK(shop.run({"sagas", "explain", "admission/1"}).out.find("check") != std::string::npos);
    CHECK(shop.run({"sagas", "show", "admission/1"}).out.find("VERSION") != std::string::npos);
    CHECK(shop.run({"sagas", "show", "admission/9"}).code == 3);
    CHECK(shop.run({"sagas", "show", "admission"}).code == 2);
}

TEST_CASE("an operator needs the program that defines the saga") {
    const Shop shop;
    start_sagas(shop);
    const auto result = shop.run({"sagas", "cancel", "admission/1", "--reason", "moved away"});
    INFO(result.err);
    CHECK(result.code == 6);
    CHECK(result.err.starts_with("daybook: unavailable: "));
    CHECK(shop.records({"sagas", "explain", "admission/1"}).at(0).at("status") == "running");
}

TEST_CASE("an operator's action is in the history with its author and reason") {
    const Shop shop;
    start_sagas(shop);
    CHECK(shop.bank({"sagas", "cancel", "admission/1"}).code == 2);
    const Json seen = shop.bank_records({"sagas", "explain", "admission/1"}).at(0);
    const std::string version = seen.at("journal_version").dump();

    const Json done =
        shop.bank_records({"sagas", "complete", "admission/1", "--by", "Ada", "--reason",
                           "by phone", "--seen", version, "--reply", "{\"fine\":true}"})
            .at(0);
    CHECK(done.at("status") == "completed");
    const auto history = shop.records({"sagas", "show", "admission/1"}).at(0).at("history");
    INFO(history.dump());
    CHECK(history.dump().find("by phone") != std::string::npos);
    CHECK(history.dump().find("Ada: complete") != std::string::npos);

    // The saga has changed since, and it has ended.
    CHECK(shop.bank({"sagas", "cancel", "admission/1", "--reason", "x", "--seen", version}).code ==
          4);
    CHECK(shop.bank({"sagas", "cancel", "admission/1", "--reason", "x"}).code == 2);
}

TEST_CASE("a saga can be cancelled") {
    const Shop shop;
    start_sagas(shop);
    const auto cancelled = shop.bank({"sagas", "cancel", "admission/2", "--reason", "moved away"});
    INFO(cancelled.err);
    CHECK(cancelled.code == 0);
    const Json saga = shop.records({"sagas", "explain", "admission/2"}).at(0);
    CHECK(saga.at("journal_version").get<int>() > 1);
}
