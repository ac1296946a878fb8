#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "temporary_directory.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

namespace files = std::filesystem;

/// Restores the working directory at the end of the scope.
class WorkingDirectory {
public:
    WorkingDirectory() : before_(files::current_path()) {}
    ~WorkingDirectory() { files::current_path(before_); }
    WorkingDirectory(const WorkingDirectory&) = delete;
    WorkingDirectory& operator=(const WorkingDirectory&) = delete;

private:
    files::path before_;
};

std::size_t events_of(const EventStore& store, const StreamName& stream) {
    std::size_t events = 0;
    for (const EventView event : store.read(stream)) events += event.version() > Version{0};
    return events;
}

void check_takes_no_event(EventStore& store) {
    CHECK_THROWS_AS(store.append("thing-1", any_version, {numbered(9)}), StorageError);
    CHECK_THROWS_AS(
        store.transact([](Transaction& tx) { tx.append("thing-2", any_version, {numbered(9)}); }),
        StorageError);
    CHECK_THROWS_AS(store.append_async("thing-3", any_version, {numbered(9)}).get(), StorageError);
}

/// Runs `check` in a child of this process. Returns its result, or nothing if the child hangs.
std::optional<int> in_child(const std::function<int()>& check) {
    constexpr unsigned seconds_max = 30;
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(seconds_max);
        ::_exit(check());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status)) return std::nullopt;
    return WEXITSTATUS(status);
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a program that changes its directory goes on with its own store [A6]") {
    const TemporaryDirectory directory;
    const WorkingDirectory comes_back;
    for (const char* const name : {"one", "two", "three"}) {
        files::create_directory(directory.file(name));
    }
    EventStore::open(directory.file("two/a.db")).append("other-1", any_version, {numbered(1)});
    files::current_path(directory.file("one"));
    EventStore store = EventStore::open("a.db");
    store.append("thing-1", any_version, {numbered(1)});
    for (const char* const name : {"two", "three"}) {
        files::current_path(directory.file(name));
        store.append("thing-1", any_version, {numbered(2)});
        const EventStore copy = store;
        CHECK(events_of(store, "thing-1") == store.head().value());
        CHECK(store.version("other-1") == Version{0});
        detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
        CHECK(detail::engine_of(store).read_models().list() == std::vector<std::string>{"m.v1.b1"});
    }
    CHECK(files::exists(directory.file("one/a.db-rm")));
    CHECK_FALSE(files::exists(directory.file("two/a.db-rm")));
    CHECK(files::is_empty(directory.file("three")));
}

TEST_CASE("a name that SQLite could take for a URI is the name of a file [A6]") {
    const TemporaryDirectory directory;
    const WorkingDirectory comes_back;
    files::current_path(directory.path());
    for (const std::string name : {"file:x.db", "file:y.db?mode=memory", "z.db?immutable=1",
                                   "file:none.db?vfs=none", "a%20b#c.db", "sqlite.db:memory:"}) {
        CAPTURE(name);
        EventStore::open(name).append("thing-1", any_version, {numbered(1)});
        CHECK(files::exists(directory.file(name)));
        CHECK(EventStore::open(name, {.create = false}).head() == Position{1});
        CHECK(EventStore::open(directory.file(name)).head() == Position{1});
        const EventStore store = EventStore::open("sqlite:" + name);
        CHECK(store.head() == Position{1});
        detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
        CHECK(files::exists(directory.file(name + "-rm/m.v1.b1.db")));
    }
    CHECK_FALSE(files::exists(directory.file("x.db")));
    CHECK_THROWS_AS(EventStore::open(std::string_view{"a\0b", 3}), InvalidError);
}

TEST_CASE("a symbolic link to a store leads to the one store [A6]") {
    const TemporaryDirectory directory;
    files::create_directory(directory.file("there"));
    EventStore store = EventStore::open(directory.file("there/s.db"));
    store.append("thing-1", any_version, {numbered(1)});
    files::create_symlink(directory.file("there/s.db"), directory.file("link.db"));
    EventStore other = EventStore::open(directory.file("link.db"));
    other.append("thing-1", at_version(1), {numbered(2)});
    CHECK(store.head() == Position{2});
    detail::engine_of(other).read_models().open("m.v1.b1", ReadModelUse::build);
    CHECK(detail::engine_of(store).read_models().list().size() == 1);
}

TEST_CASE("a store with a second name takes no events, whichever name is used [A6]") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("a.db");
    std::string logged;
    const StoreOptions listening{.log = [&](LogLevel, std::string_view text) { logged = text; }};
    {
        EventStore store = EventStore::open(path);
        store.append("thing-1", any_version, {numbered(1)});
        files::create_hard_link(path, directory.file("b.db"));
        check_takes_no_event(store);
        CHECK(store.head() == Position{1});
    }
    {
        EventStore other = EventStore::open(directory.file("b.db"), listening);
        CHECK(logged.find("second name") != std::string::npos);
        check_takes_no_event(other);
        CHECK(other.head() == Position{1});
        files::remove(path);
        CHECK(other.append("thing-1", at_version(1), {numbered(2)}).position == Position{2});
    }
}

TEST_CASE(
    "a file that was removed or replaced under a store is noticed before a result is returned "
    "[A6]") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("a.db");
    EventStore store = EventStore::open(path);
    store.append("thing-1", any_version, {numbered(1)});
    for (const std::string part : {"", "-wal", "-shm"}) {
        CAPTURE(part);
        files::rename(path + part, directory.file("away"));
        check_takes_no_event(store);
        files::copy_file(directory.file("away"), path + part);
        check_takes_no_event(store);
        files::rename(directory.file("away"), path + part);
    }
    CHECK(store.append("thing-1", at_version(1), {numbered(2)}).position == Position{2});
    CHECK(events_of(store, "thing-1") == 2);
}

TEST_CASE("no reader of a store goes over to a file that replaced it [A6]") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("a.db");
    EventStore::open(directory.file("b.db"))
        .append("other-1", any_version, {numbered(1), numbered(2)});
    EventStore store = EventStore::open(path);
    store.append("thing-1", any_version, {numbered(1)});
    CHECK(store.head() == Position{1});
    files::rename(path, directory.file("away"));
    files::rename(directory.file("b.db"), path);
    // Each reader needs its own connection, and only the first had one already.
    store.query([&](Sql&) { CHECK_THROWS_AS(store.head(), StorageError); });
    files::rename(path, directory.file("b.db"));
    files::rename(directory.file("away"), path);
    store.query([&](Sql&) { CHECK(store.head() == Position{1}); });
}

TEST_CASE("a child after fork is refused every call and can drop its handle [A6]") {
    const TemporaryDirectory directory;
    EventStore store = EventStore::open(directory.file("s.db"));
    store.append("thing-1", any_version, {numbered(1)});
    store.append_async("thing-1", any_version, {numbered(2)}).get();
    const auto model = detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
    const auto refusals = in_child([&] {
        int refused = 0;
        const auto count = [&](const auto& call) {
            try {
                call();
            } catch (const InvalidError&) {
                ++refused;
            }
        };
        count([&] { store.append("thing-1", any_version, {numbered(3)}); });
        count([&] { store.append_async("thing-1", any_version, {numbered(3)}); });
        count([&] { store.transact([](Transaction&) {}); });
        count([&] { events_of(store, "thing-1"); });
        count([&] { store.head(); });
        count([&] { store.version("thing-1"); });
        count([&] { store.query([](Sql&) {}); });
        count([&] { store.wait_beyond(Position{9}, std::chrono::milliseconds{1}); });
        count([&] { store.wait_for_commit(store.commits(), std::chrono::milliseconds{1}); });
        count([&] { detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::query); });
        count([&] { model->begin(); });
        store = EventStore::open(":memory:");
        store.append("mine-1", any_version, {numbered(1)});
        return refused;
    });
    CHECK(refusals == 11);
    CHECK(store.append("thing-1", at_version(2), {numbered(3)}).position == Position{3});
    model->begin();
    model->rollback();
}

TEST_SUITE_END();
