#include "daybook/schema/event_catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"

using daybook::CorruptError;
using daybook::EventCatalog;
using daybook::EventType;
using daybook::InvalidError;
using daybook::UpcastEvent;
using nlohmann::json;

namespace {

using Results = std::vector<UpcastEvent>;

struct Deposited {
    static constexpr EventType type{"account.deposited", 3};
    std::int64_t cents = 0;
    std::string currency;
    static constexpr auto fields() {
        return daybook::fields("cents", &Deposited::cents, "currency", &Deposited::currency);
    }
};

struct Noted {
    static constexpr EventType type{"account.noted", 1};
    std::string text;
    static constexpr auto fields() { return daybook::fields("text", &Noted::text); }
};

struct OlderNoted {
    static constexpr EventType type{"account.noted", 2};
};

Results one(EventType type, const json& data) { return {{type, data}}; }

// As the documentation shows it, and then on to the newest version.
EventCatalog chained() {
    EventCatalog catalog;
    catalog.add<Deposited, Noted>();
    catalog.upcast({"account.deposited", 1}, {{"account.deposited", 2}}, [](const json& old) {
        return one({"account.deposited", 2}, {{"cents", old.at("euros").get<int>() * 100}});
    });
    catalog.upcast({"account.deposited", 2}, {{"account.deposited", 3}},
                   [](const json& old) -> Results {
                       return {Deposited{old.at("cents").get<std::int64_t>(), "EUR"}};
                   });
    return catalog;
}

std::string upcast(const EventCatalog& catalog, std::string_view name, int version,
                   std::string_view data) {
    std::vector<daybook::Upcasted> out;
    catalog.upcast(name, version, data, out);
    std::string text;
    for (const auto& event : out) {
        text += event.name + "/" + std::to_string(event.version) + event.data + " ";
    }
    return text;
}

std::string refusal(auto action) {
    try {
        action();
    } catch (const InvalidError& error) {
        return error.what();
    }
    return "was accepted";
}

}  // namespace

TEST_CASE("an old event goes through the whole chain") {
    const EventCatalog catalog = chained();
    CHECK(upcast(catalog, "account.deposited", 1, R"({"euros":5})") ==
          R"(account.deposited/3{"cents":500,"currency":"EUR"} )");
    CHECK(upcast(catalog, "account.deposited", 2, R"({"cents":7})") ==
          R"(account.deposited/3{"cents":7,"currency":"EUR"} )");
}

TEST_CASE("an event that nothing applies to passes byte for byte") {
    const EventCatalog catalog = chained();
    CHECK(upcast(catalog, "account.deposited", 3, "{ \"cents\": 7 }") ==
          "account.deposited/3{ \"cents\": 7 } ");
    CHECK(upcast(catalog, "unknown.thing", 9, "not even JSON") == "unknown.thing/9not even JSON ");
}

TEST_CASE("results are appended and earlier ones stay") {
    const EventCatalog catalog = chained();
    std::vector<daybook::Upcasted> out;
    catalog.upcast("account.noted", 1, "{}", out);
    catalog.upcast("account.deposited", 2, R"({"cents":7})", out);
    REQUIRE(out.size() == 2);
    CHECK(out[0].name == "account.noted");
    CHECK(out[1].version == 3);
}

TEST_CASE("only the exact version is upcast") {
    const EventCatalog catalog = chained();
    CHECK(catalog.has_upcasters());
    CHECK(catalog.needs_upcast("account.deposited", 1));
    CHECK(catalog.needs_upcast("account.deposited", 2));
    CHECK_FALSE(catalog.needs_upcast("account.deposited", 3));
    CHECK_FALSE(catalog.needs_upcast("account.deposited", 4));
    CHECK_FALSE(catalog.needs_upcast("account.depositedx", 1));
    CHECK_FALSE(catalog.needs_upcast("account", 1));
    CHECK_FALSE(EventCatalog{}.has_upcasters());
}

TEST_CASE("an event can be split and its parts keep their order") {
    EventCatalog catalog = chained();
    catalog.upcast({"account.moved", 1}, {{"account.deposited", 1}, {"account.noted", 1}},
                   [](const json& old) -> Results {
                       return {Noted{"before"},
                               UpcastEvent{{"account.deposited", 1}, {{"euros", old.at("euros")}}},
                               Noted{"after"}};
                   });
    CHECK(upcast(catalog, "account.moved", 1, R"({"euros":1})") ==
          R"(account.noted/1{"text":"before"} )"
          R"(account.deposited/3{"cents":100,"currency":"EUR"} )"
          R"(account.noted/1{"text":"after"} )");
}

TEST_CASE("an event can be dropped") {
    EventCatalog catalog;
    catalog.upcast({"account.polled", 1}, {}, [](const json&) { return Results{}; });
    CHECK(upcast(catalog, "account.polled", 1, "{}").empty());
}

TEST_CASE("a circle of upcasters is refused before it can run and is named") {
    EventCatalog catalog = chained();
    const auto never = [](const json&) { return Results{}; };
    CHECK(refusal([&] { catalog.upcast({"a", 1}, {{"a", 1}}, never); }).find("'a' version 1") !=
          std::string::npos);
    catalog.upcast({"a", 1}, {{"b", 1}}, never);
    catalog.upcast({"b", 1}, {{"c", 1}, {"d", 1}}, never);
    const std::string text =
        refusal([&] { catalog.upcast({"d", 1}, {{"x", 1}, {"a", 1}}, never); });
    CHECK(text.find("event 'd' version 1 would be upcast in a circle") != text.npos);
    CHECK(text.find("'a' version 1") != text.npos);
    CHECK_FALSE(catalog.needs_upcast("d", 1));
    CHECK_NOTHROW(catalog.upcast({"d", 1}, {{"a", 2}}, never));
}

TEST_CASE("a result that was not announced is refused") {
    EventCatalog catalog;
    catalog.upcast({"a", 1}, {{"a", 2}}, [](const json& data) { return one({"b", 2}, data); });
    const std::string text = refusal([&] { upcast(catalog, "a", 1, "{}"); });
    CHECK(text.find("'a' version 1") != text.npos);
    CHECK(text.find("'b' version 2") != text.npos);
}

TEST_CASE("a payload that its upcaster cannot read is corrupt and named") {
    const EventCatalog catalog = chained();
    for (const char* data : {R"({"cents":1})", R"({"euros":"many"})", "[]", "not JSON", ""}) {
        CAPTURE(data);
        std::string text;
        try {
            upcast(catalog, "account.deposited", 1, data);
        } catch (const CorruptError& error) {
            text = error.what();
        }
        CHECK(text.find("'account.deposited'") != text.npos);
    }
}

TEST_CASE("one program writes one version of an event") {
    EventCatalog catalog;
    catalog.add<Noted>();
    CHECK_NOTHROW(catalog.add<Noted>());
    const std::string text = refusal([&] { catalog.add<OlderNoted>(); });
    CHECK(text.find("'account.noted' version 2") != text.npos);
    CHECK(text.find("version 1") != text.npos);
}

TEST_CASE("the version that is written has no upcaster in whatever order they are given") {
    const auto never = [](const json&) { return Results{}; };
    EventCatalog first;
    first.add<Noted>();
    CHECK_THROWS_AS(first.upcast({"account.noted", 1}, {}, never), InvalidError);
    EventCatalog second;
    second.upcast({"account.noted", 1}, {}, never);
    CHECK_THROWS_AS(second.add<Noted>(), InvalidError);
    CHECK(second.types().empty());
}

TEST_CASE("two upcasters of one version and an empty one are refused") {
    EventCatalog catalog = chained();
    const auto never = [](const json&) { return Results{}; };
    CHECK_THROWS_AS(catalog.upcast({"account.deposited", 1}, {}, never), InvalidError);
    CHECK_THROWS_AS(catalog.upcast({"a", 1}, {}, nullptr), InvalidError);
}

TEST_CASE("a reader of one name gets all names it was ever stored under") {
    EventCatalog catalog = chained();
    const auto never = [](const json&) { return Results{}; };
    catalog.upcast({"account.paid_in", 1}, {{"account.deposited", 2}}, never);
    catalog.upcast({"money.came", 1}, {{"account.noted", 1}, {"account.paid_in", 1}}, never);
    using Names = std::vector<std::string>;
    CHECK(catalog.sources_of("account.deposited") ==
          Names{"account.deposited", "account.paid_in", "money.came"});
    CHECK(catalog.sources_of("account.noted") == Names{"account.noted", "money.came"});
    CHECK(catalog.sources_of("never.heard") == Names{"never.heard"});
}

TEST_CASE("the registered events are listed by name") {
    const EventCatalog catalog = chained();
    CHECK(catalog.types() ==
          std::vector<EventType>{{"account.deposited", 3}, {"account.noted", 1}});
}

TEST_CASE("a copied catalog stands on its own") {
    EventCatalog copy;
    {
        const EventCatalog original = chained();
        copy = original;
    }
    CHECK(upcast(copy, "account.deposited", 2, R"({"cents":7})") ==
          R"(account.deposited/3{"cents":7,"currency":"EUR"} )");
}
