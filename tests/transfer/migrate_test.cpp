#include <algorithm>
#include <map>
#include <memory>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "transfer/table_copy.hpp"
#include "transfer_fixture.hpp"

using namespace transfer_test;
using daybook::test::StoreLocation;

TEST_CASE("a migration leaves no event and nothing that waits behind") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 400);
    add_waiting(source);
    EventStore target = to.open();
    const MigrationResult result = migrate(source, target, {.batch_max = 64});

    CHECK(result.events == source.head().value());
    CHECK(result.copied == result.events);
    CHECK(result.source_hash == result.target_hash);
    CHECK(result.source_hash.size() == 64);
    CHECK(log_of(target) == log_of(source));
    std::map<std::string, std::uint64_t> copied(result.rows.begin(), result.rows.end());
    CHECK(copied.at("outbox") == 240);
    CHECK(copied.at("inbox") == 250);
    for (const auto& table : detail::copied_tables) {
        const std::string name{table.name};
        CAPTURE(name);
        const std::string_view hidden = table.numbered ? table.key : "";
        CHECK(rows_of(target, name, std::string(table.key), hidden) ==
              rows_of(source, name, std::string(table.key), hidden));
    }
    // The target continues on its own: the numbers that it assigns are not in use.
    target.transact([](Transaction& tx) {
        tx.publish({"warehouse", EventType::checked("stock.reserve", 1), "{}", {}});
    });
    CHECK(rows_of(target, "outbox", "sequence").size() == 241);
    CHECK(target.append("thing-1", any_version, {numbered(1)}).position == source.head().next());
}

TEST_CASE("a store comes back from another engine as it was") {
    const SqliteLocation from;
    const StoreLocation abroad;
    const SqliteLocation home;
    EventStore source = from.open();
    append_events(source, 100);
    add_waiting(source);
    migrate(source, abroad.open());
    migrate(abroad.open(), home.open());
    CHECK(hash_of(home.open()) == hash_of(source));
    CHECK(log_of(home.open()) == log_of(source));
    for (const auto& table : detail::copied_tables) {
        const std::string name{table.name};
        CAPTURE(name);
        const std::string_view hidden = table.numbered ? table.key : "";
        CHECK(rows_of(home.open(), name, std::string(table.key), hidden) ==
              rows_of(source, name, std::string(table.key), hidden));
    }
}

TEST_CASE("an empty store can be moved") {
    const SqliteLocation from;
    const StoreLocation to;
    const MigrationResult result = migrate(from.open(), to.open());
    CHECK(result.events == 0);
    CHECK(result.source_hash.empty());
}

TEST_CASE("a target that holds something is refused and left alone") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 5);
    EventStore target = to.open();
    SUBCASE("events") { target.append("mine-1", any_version, {numbered(1)}); }
    SUBCASE("a message") {
        target.transact([](Transaction& tx) {
            tx.publish({"warehouse", EventType::checked("stock.reserve", 1), "{}", {}});
        });
    }
    const auto before = log_of(target);
    CHECK_THROWS_WITH_AS(migrate(source, target), doctest::Contains("name an empty one"),
                         InvalidError);
    CHECK(log_of(target) == before);
}

TEST_CASE("a migration done twice stores nothing twice") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 50);
    add_waiting(source);
    EventStore target = to.open();
    const MigrationResult first = migrate(source, target);
    // Messages that were delivered since must not come back.
    target.transact(
        [](Transaction& tx) { detail::store_sql(tx).exec("DELETE FROM daybook_outbox"); });
    const MigrationResult second = migrate(source, target);
    CHECK(second.copied == 0);
    CHECK(second.rows.empty());
    CHECK(second.target_hash == first.target_hash);
    CHECK(rows_of(target, "outbox", "sequence").empty());

    target.append("mine-1", any_version, {numbered(1)});
    CHECK_THROWS_WITH_AS(migrate(source, target), doctest::Contains("is written to by others"),
                         InvalidError);
}

TEST_CASE("what is appended to the source meanwhile is reported and caught up") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 50);
    EventStore writer = from.open();
    MigrationPhase when = MigrationPhase::events;
    SUBCASE("while events are copied") { when = MigrationPhase::events; }
    SUBCASE("while all is compared") { when = MigrationPhase::verify; }
    bool written = false;
    const auto write_once = [&](const MigrationProgress& now) {
        if (now.phase != when || written) return;
        written = true;
        writer.append("late-1", any_version, {numbered(1), numbered(2)});
    };
    CHECK_THROWS_WITH_AS(migrate(source, to.open(), {.progress = write_once}),
                         doctest::Contains("run again"), UnavailableError);
    const MigrationResult result = migrate(source, to.open());
    CHECK(result.copied == 2);
    CHECK(log_of(to.open()) == log_of(source));

    writer.append("late-1", any_version, {numbered(3)});
    CHECK_THROWS_WITH_AS(migrate(source, to.open()), doctest::Contains("has grown since"),
                         InvalidError);
}

TEST_CASE("a changed event in the target is found") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    source.append("thing-1", any_version, {numbered(1), numbered(2), numbered(3), numbered(4)});
    EventStore target = to.open();
    migrate(source, target);
    const auto spoil = [&](const char* statement) {
        const char* const unguard =
            daybook::test::on_postgres()
                ? "ALTER TABLE daybook_event DISABLE TRIGGER daybook_event_is_final"
                : "DROP TRIGGER daybook_event_is_not_changed";
        target.transact([&](Transaction& tx) {
            detail::store_sql(tx).exec(unguard);
            detail::store_sql(tx).exec(statement);
        });
    };
    SUBCASE("data") { spoil("UPDATE daybook_event SET data = '{\"n\":8}' WHERE position = 3"); }
    SUBCASE("time") { spoil("UPDATE daybook_event SET recorded_at = 1 WHERE position = 3"); }
    SUBCASE("trace") { spoil("UPDATE daybook_event SET causation = id WHERE position = 3"); }
    CHECK_THROWS_WITH_AS(migrate(source, target),
                         doctest::Contains("differ at position 3, in stream 'thing-1'"),
                         CorruptError);
}

TEST_CASE("a stopped migration goes on where it was and for its source only") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    const Position head = append_events(source, 200);
    std::stop_source stop;
    const MigrationOptions stopping{.batch_max = 10,
                                    .progress =
                                        [&](const MigrationProgress& now) {
                                            if (now.done >= 50) stop.request_stop();
                                        },
                                    .stop = stop.get_token()};
    CHECK_THROWS_AS(migrate(source, to.open(), stopping), CancelledError);
    const Position reached = to.open().head();
    CHECK(reached >= Position{50});
    CHECK(reached < head);

    const SqliteLocation other;
    EventStore stranger = other.open();
    append_events(stranger, 200);
    CHECK_THROWS_WITH_AS(migrate(stranger, to.open()), doctest::Contains("another source"),
                         InvalidError);

    const MigrationResult rest = migrate(source, to.open());
    CHECK(rest.copied == head.value() - reached.value());
    CHECK(log_of(to.open()) == log_of(source));
}

TEST_CASE("another writer to the target is noticed") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 50);
    EventStore target = to.open();
    EventStore intruder = to.open();
    const MigrationOptions options{.batch_max = 10, .progress = [&](const MigrationProgress& now) {
                                       if (now.done == 20) {
                                           intruder.append("mine-1", any_version, {numbered(1)});
                                       }
                                   }};
    CHECK_THROWS_WITH_AS(migrate(source, target, options),
                         doctest::Contains("is written to by others"), InvalidError);
    CHECK(target.head() == Position{21});
}

TEST_CASE("upcasters of a program do not change what is moved" * doctest::test_suite("sqlite")) {
    const SqliteLocation from;
    const SqliteLocation to;
    {
        EventStore plain = from.open();
        plain.append("thing-1", any_version, {numbered(1, "thing.old")});
    }
    auto catalog = std::make_shared<EventCatalog>();
    catalog->upcast(EventType::checked("thing.old", 1), {},
                    [](const nlohmann::json&) { return std::vector<UpcastEvent>{}; });
    EventStore source = from.open({.catalog = catalog});
    EventStore target = to.open({.catalog = catalog});
    migrate(source, target);
    CHECK(log_of(to.open()) == log_of(from.open()));
    CHECK(log_of(to.open()) != log_of(source));
}

TEST_CASE("a migration reports which read models are to be rebuilt" *
          doctest::test_suite("sqlite")) {
    const SqliteLocation from;
    const SqliteLocation to;
    EventStore source = from.open();
    source.transact([](Transaction& tx) {
        detail::store_sql(tx).exec(
            "INSERT INTO daybook_projection(name, lifecycle, version, fingerprint, build, "
            "last_build, updated_at) VALUES('balances', 'async', 1, 'f', 1, 1, 1)");
    });
    CHECK(migrate(source, to.open()).rebuild == std::vector<std::string>{"balances"});
}

TEST_CASE("migrations cover every table of the schema") {
    const StoreLocation location;
    location.open().query([](Sql& sql) {
        for (const SqlRelation& relation : sql.relations()) {
            if (relation.kind == SqlRelation::Kind::view) continue;
            const bool copied = std::ranges::count(detail::copied_tables, relation.name,
                                                   &detail::TransferTable::name) > 0;
            const bool left = std::ranges::count(detail::left_tables, relation.name) > 0;
            CHECK_MESSAGE(copied != left, relation.name);
        }
    });
}
