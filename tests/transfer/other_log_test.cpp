#include <atomic>
#include <mutex>

#include <doctest/doctest.h>

#include "backup.hpp"
#include "patience.hpp"
#include "transfer_fixture.hpp"

// Stores that are put back from backups, or are not there for a while, under mirrors and
// migrations.

using namespace transfer_test;
using namespace std::chrono_literals;
using daybook::test::Backup;
using daybook::test::eventually;
using daybook::test::hide_table;
using daybook::test::patience;
using daybook::test::show_table;
using daybook::test::StoreLocation;

namespace {

const MirrorOptions quick{.batch_max = 16, .retry = every(1ms)};

bool becomes(const Mirror& mirror, MirrorState state) {
    return eventually([&] { return mirror.status().state == state; });
}

/// Collects the log lines of a store, from any thread.
class LogLines {
public:
    LogSink sink() {
        return [this](LogLevel, std::string_view text) {
            const std::scoped_lock lock{mutex_};
            text_ += text;
        };
    }
    bool contains(const std::string& what) const {
        const std::scoped_lock lock{mutex_};
        return text_.find(what) != std::string::npos;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

}  // namespace

TEST_CASE("a mirror does not go on with a source that was put back from a backup [A1]") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    Backup backup{from};
    append_events(source, 10);
    Mirror mirror{from.open(), to.open(), quick};
    mirror.start();
    REQUIRE(mirror.wait_for(source.head(), patience()));
    const auto mirrored = log_of(to.open());
    backup.restore_to(from);
    SUBCASE("and is shorter now") {}
    SUBCASE("and has grown again") {
        EventStore restored = from.open();
        append_events(restored, 40);
    }
    CHECK(becomes(mirror, MirrorState::halted));
    CHECK_THROWS_AS(std::rethrow_exception(mirror.failure()), InvalidError);
    CHECK_THROWS_WITH_AS((Mirror{from.open(), to.open()}.run_once()),
                         doctest::Contains("it was put back from a backup"), InvalidError);
    CHECK(log_of(to.open()) == mirrored);
}

TEST_CASE("a mirror brings a target that was put back from a backup up to date again [A1]") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    StoreLocation empty;
    Mirror{source, to.open()}.run_once();
    Backup backup{to};
    LogLines log;
    Mirror mirror{from.open(), to.open({.log = log.sink()}), quick};
    mirror.start();
    append_events(source, 20);
    REQUIRE(mirror.wait_for(source.head(), patience()));
    SUBCASE("to an older state") { backup.restore_to(to); }
    SUBCASE("to nothing") { Backup{empty}.restore_to(to); }
    append_events(source, 20);
    CHECK(eventually([&] { return to.open().head() == source.head(); }));
    CHECK(log_of(to.open()) == log_of(source));
    CHECK(eventually([&] { return log.contains("the target was put back from a backup"); }));
    CHECK(becomes(mirror, MirrorState::live));
    mirror.stop();
    CHECK(mirror.failure() == nullptr);
}

TEST_CASE("a mirror waits while a store is not there and goes on after that [B7]") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    Mirror mirror{from.open(), to.open(), quick};
    mirror.start();
    REQUIRE(mirror.wait_for(source.head(), patience()));
    const auto miss = [&](const StoreLocation& location, const std::string& table) {
        hide_table(location, table);
        if (&location == &to) append_events(source, 10);
        CHECK(becomes(mirror, MirrorState::waiting));
        CHECK_FALSE(mirror.status().last_error.empty());
        show_table(location, table);
        append_events(source, 10);
        CHECK(mirror.wait_for(source.head(), patience()));
    };
    miss(from, "daybook_event");
    miss(to, "daybook_event");
    miss(to, "daybook_mirror");
    CHECK(log_of(to.open()) == log_of(source));
    CHECK(becomes(mirror, MirrorState::live));
}

TEST_CASE("a migration does not go on with a source that was put back from a backup [A1]") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 5);
    Backup backup{from};
    append_events(source, 40);
    std::stop_source stop;
    MigrationOptions options{.batch_max = 50, .stop = stop.get_token()};
    options.progress = [&](const MigrationProgress& now) {
        if (now.done >= 50) stop.request_stop();
    };
    CHECK_THROWS_AS(migrate(source, to.open(), options), CancelledError);
    backup.restore_to(from);
    append_events(source, 40);
    CHECK_THROWS_WITH_AS(migrate(from.open(), to.open()),
                         doctest::Contains("what came from another source"), InvalidError);
}

TEST_CASE("a migration that has started with an empty store continues with that store only [A1]") {
    const StoreLocation from;
    const StoreLocation other;
    const StoreLocation to;
    migrate(from.open(), to.open());
    CHECK_THROWS_WITH_AS(migrate(other.open(), to.open()), doctest::Contains("it is not store"),
                         InvalidError);
    CHECK(migrate(from.open(), to.open()).events == 0);
}

TEST_CASE(
    "a migration that fails at the end is not finished and one that is finished reports it [A3]") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    const auto finished = [&] {
        std::int64_t found = 0;
        to.open().query([&](Sql& sql) {
            found = sql.integer("SELECT finished FROM daybook_migration").value_or(0);
        });
        return found;
    };
    hide_table(from, "daybook_projection");
    CHECK_THROWS(migrate(from.open(), to.open()));
    CHECK(finished() == 0);
    show_table(from, "daybook_projection");
    CHECK(migrate(from.open(), to.open()).events == source.head().value());
    CHECK(finished() == 1);
}
