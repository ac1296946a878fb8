#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>
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

/// Rights do not restrict root, and tests often run as root: runs as `nobody` until the end of the
/// scope.
class Unprivileged {
public:
    Unprivileged() : was_root_(::geteuid() == 0) {
        if (was_root_ && ::seteuid(nobody) != 0) FAIL("cannot become nobody");
    }
    ~Unprivileged() {
        if (was_root_ && ::seteuid(0) != 0) std::abort();
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

private:
    static constexpr uid_t nobody = 65534;
    bool was_root_;
};

class Umask {
public:
    explicit Umask(mode_t mask) : before_(::umask(mask)) {}
    ~Umask() { ::umask(before_); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

private:
    mode_t before_;
};

mode_t rights(const std::string& path) {
    struct stat found{};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found.st_mode & 07777;
}

void set_rights(const std::string& path, mode_t mode) {
    CAPTURE(path);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// A store of one event, closed.
std::string made_in(const TemporaryDirectory& directory) {
    const std::string path = directory.file("s.db");
    EventStore::open(path).append("thing-1", any_version, {numbered(1)});
    return path;
}

void check_read_only(const std::string& path) {
    EventStore store = EventStore::open(path);
    CHECK(store.head() == Position{1});
    CHECK(store.version("thing-1") == Version{1});
    CHECK_FALSE(store.wait_beyond(Position{1}, std::chrono::milliseconds{1}));
    store.query([](Sql& sql) { CHECK(sql.integer("SELECT count(*) FROM daybook_event") == 1); });
    CHECK_THROWS_AS(store.append("thing-1", any_version, {numbered(2)}), StorageError);
    CHECK_THROWS_AS(
        store.transact([](Transaction& tx) { tx.append("a-1", any_version, {numbered(2)}); }),
        StorageError);
    CHECK(store.head() == Position{1});
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a store that cannot be written can be read [E19]") {
    const TemporaryDirectory directory;
    const std::string path = made_in(directory);
    for (const char* part : {"", "-wal", "-shm"}) set_rights(path + part, 0444);
    set_rights(directory.path().string(), 0555);
    {
        const Unprivileged scope;
        check_read_only(path);
    }
    // The same for a copy in a directory that holds nothing else.
    set_rights(directory.path().string(), 0755);
    for (const char* part : {"-wal", "-shm"}) files::remove(path + part);
    set_rights(directory.path().string(), 0555);
    {
        const Unprivileged scope;
        check_read_only(path);
    }
    set_rights(directory.path().string(), 0755);
}

TEST_CASE("a user that may write the file but not its directory can read the store [E19]") {
    const TemporaryDirectory directory;
    const std::string path = made_in(directory);
    for (const char* part : {"-wal", "-shm"}) files::remove(path + part);
    set_rights(path, 0666);
    set_rights(directory.path().string(), 0555);
    {
        const Unprivileged scope;
        check_read_only(path);
    }
    set_rights(directory.path().string(), 0755);
}

TEST_CASE("rights that come back are used by the handle that missed them [A6]") {
    const TemporaryDirectory directory;
    const std::string path = made_in(directory);
    set_rights(directory.path().string(), 0777);
    const auto open_and_fail = [&] {
        const Unprivileged scope;
        EventStore store = EventStore::open(path);
        for (int i = 0; i < 2; ++i) {
            CHECK_THROWS_AS(store.append("thing-1", any_version, {numbered(2)}), StorageError);
        }
        return store;
    };
    std::uint64_t stored = 1;
    for (const std::string part : {"-wal", ""}) {
        CAPTURE(part);
        for (const char* each : {"", "-wal", "-shm"}) set_rights(path + each, 0666);
        set_rights(path + part, 0444);
        EventStore store = open_and_fail();
        set_rights(path + part, 0666);
        const Unprivileged scope;
        CHECK(store.append("thing-1", any_version, {numbered(2)}).position == Position{++stored});
        CHECK(store.head() == Position{stored});
    }
}

TEST_CASE("what stands beside a store is no more open than the store [E19]") {
    const Umask open_to_all{0};
    const TemporaryDirectory directory;
    const std::string path = made_in(directory);
    const std::string models = path + "-rm";
    const std::string model = models + "/m.v1.b1.db";
    const auto feed = [&](mode_t mode) {
        set_rights(path, mode);
        EventStore store = EventStore::open(path);
        store.append("thing-1", any_version, {numbered(2)});
        const auto build =
            detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
        build->begin();
        build->sql().exec("CREATE TABLE IF NOT EXISTS t(n INTEGER)");
        build->sql().exec("INSERT INTO t VALUES(1)");
        build->commit();
        for (const std::string& file : {path, model}) {
            for (const char* part : {"", "-wal", "-shm"}) {
                CAPTURE(file + part);
                CHECK((rights(file + part) & ~mode) == 0);
            }
        }
    };
    feed(0640);
    CHECK(rights(model) == 0640);
    CHECK(rights(models) == 0750);
    // A right that is taken away later is also taken away from the files that exist already.
    feed(0600);
    CHECK(rights(models) == 0700);
}

TEST_CASE("a symbolic link among the files of a store leads nowhere [E19]") {
    const TemporaryDirectory directory;
    const std::string path = made_in(directory);
    const EventStore store = EventStore::open(path);
    const std::string elsewhere = directory.file("elsewhere");
    files::create_directory(elsewhere);
    const auto check_refused = [&] {
        for (const auto use : {ReadModelUse::build, ReadModelUse::feed, ReadModelUse::query}) {
            CHECK_THROWS_AS(detail::engine_of(store).read_models().open("m.v1.b1", use),
                            StorageError);
        }
        CHECK(files::is_empty(elsewhere));
    };
    files::create_directory_symlink(elsewhere, path + "-rm");
    check_refused();
    CHECK_THROWS_AS(detail::engine_of(store).read_models().remove("m.v1.b1"), StorageError);
    files::remove(path + "-rm");
    files::create_directory(path + "-rm");
    files::create_symlink(elsewhere + "/target.db", path + "-rm/m.v1.b1.db");
    check_refused();
}

TEST_SUITE_END();
