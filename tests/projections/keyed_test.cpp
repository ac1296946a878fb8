#include <doctest/doctest.h>

#include "bank.hpp"
#include "store_location.hpp"

using namespace bank;

namespace {

enum class Mood : std::int16_t { calm = 1, upset = 7 };

struct ManyTypes {
    std::int64_t cents = 0;  // the key
    bool yes = false;
    Mood mood = Mood::calm;
    double half = 0;
    std::optional<std::string> note;
    std::optional<int> nothing;
    Position position;
    Timestamp at;
    EventId id;
    static constexpr auto fields() {
        return daybook::fields("cents", &ManyTypes::cents, "yes", &ManyTypes::yes, "mood",
                               &ManyTypes::mood, "half", &ManyTypes::half, "note", &ManyTypes::note,
                               "nothing", &ManyTypes::nothing, "position", &ManyTypes::position,
                               "at", &ManyTypes::at, "id", &ManyTypes::id);
    }
};

struct ByAmount : KeyedProjection<ByAmount, ManyTypes, Deposited> {
    static constexpr std::string_view name = "by_amount";
    static constexpr int version = 1;
    static constexpr std::string_view indexes = "CREATE INDEX by_note ON by_amount(note);";
    std::int64_t key(const Recorded<Deposited>& e) const { return e->cents; }
    void on(const Recorded<Deposited>& e, ManyTypes& row) {
        row.yes = !row.yes;
        row.mood = row.mood == Mood::calm ? Mood::upset : Mood::calm;
        row.half += 0.5;
        if (!row.note) {
            row.note = std::string(e.stream());
        }
        row.position = e.position();
        row.at = e.recorded_at();
        row.id = e.id();
    }
};

struct Count {
    std::string stream;
    std::int64_t events = 0;
    static constexpr auto fields() {
        return daybook::fields("stream", &Count::stream, "events", &Count::events);
    }
};

struct Counts : KeyedProjection<Counts, Count, Deposited> {
    static constexpr std::string_view name = "counts";
    static constexpr int version = 1;
    void on(const Recorded<Deposited>&, Count& row) { ++row.events; }
};

}  // namespace

TEST_CASE("a fold by key makes the same rows as SQL for any history") {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        auto store = test::new_store();
        History history{seed, 8};
        ProjectionRunner runner{store, {.batch_events_max = 1 + seed * 5}};
        runner.add(Balances{});
        runner.add(KeyedBalances{});
        for (int round = 0; round < 5; ++round) {
            history.append_to(store, 60);
            runner.run_once();
            CHECK(rows(store, "keyed-balances", "keyed-balances") == expected_rows(store));
            CHECK(rows(store, "balances", "balances") == expected_rows(store));
        }
    }
}

TEST_CASE("a row of every type of field comes back as it went") {
    auto store = test::new_store();
    const auto last = [&](std::int64_t cents) {
        return store.append(account(1), any_version, {Deposited{cents}}).position;
    };
    ProjectionRunner runner{store};
    runner.add(ByAmount{});
    last(-5);
    last(1'000'000'000'000);
    runner.run_once();
    const Position again = last(-5);
    runner.run_once();
    EventId id;
    for (const EventView event : store.read_all({.from = again})) id = event.id();
    runner.query("by_amount", [&](Sql& sql) {
        int seen = 0;
        sql.each("SELECT * FROM by_amount ORDER BY cents", [&](const SqlRow& row) {
            if (++seen != 1) return;
            CHECK(row.integer(0) == -5);
            CHECK(row.integer(1) == 0);
            CHECK(row.integer(2) == 1);
            CHECK(row.real(3) == 1.0);
            CHECK(row.text(4) == account(1));
            CHECK(row.is_null(5));
            CHECK(row.position(6) == again);
            CHECK(row.id(8) == id);
        });
        CHECK(seen == 2);
    });
}

TEST_CASE("a payload that no handler reads is never decoded") {
    auto store = test::new_store();
    for (int i = 0; i < 3; ++i) {
        store.append(account(1), any_version,
                     {NewEvent{EventType{"account.deposited", 5}, R"(["not", "ours"])"}});
    }
    ProjectionRunner runner{store};
    runner.add(Counts{});
    runner.run_once();
    CHECK(rows(store, "counts", "counts") == std::vector<std::string>{"account-1|3|"});
}

TEST_CASE("keys are told apart whatever is in them" * doctest::test_suite("no-store")) {
    detail::KeyTable keys;
    for (int round = 0; round < 2; ++round) {
        std::vector<std::string> all{"", "a", "b", std::string("a\0b", 3), std::string("a\0c", 3)};
        for (int i = 0; i < 5'000; ++i) all.push_back("key-" + std::to_string(i));
        all.emplace_back(100'000, 'x');
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            const auto found = keys.find_or_add(all[i]);
            REQUIRE(found.added);
            REQUIRE(found.slot == i);
        }
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            const auto found = keys.find_or_add(all[i]);
            REQUIRE_FALSE(found.added);
            REQUIRE(found.slot == i);
            REQUIRE(keys.key(i) == all[i]);
        }
        CHECK(keys.bytes() > 100'000);
        keys.clear();
        CHECK(keys.size() == 0);
    }
}
