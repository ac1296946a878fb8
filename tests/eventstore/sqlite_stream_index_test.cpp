#include "sqlite_stream_index.hpp"

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>

#include "child_process.hpp"
#include "daybook/core/error.hpp"
#include "faulty_disk.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

const StoreOptions fast{.durability = Durability::off};

void append_run(EventStore& store, const StreamName& stream, std::size_t events) {
    std::vector<NewEvent> run;
    for (std::size_t i = 0; i < events; ++i) run.push_back(numbered(i));
    store.append(stream, any_version, run);
}

/// Compares every way to read a stream with its events.
void check_every_read(const EventStore& store, const StreamName& stream) {
    const auto all = positions_of(store.read(stream));
    const std::size_t size = all.size();
    CHECK(store.version(stream) == Version{size});
    bool good = true;
    for (std::size_t from = 1; from <= size + 1; ++from) {
        for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, size + 5}) {
            const auto at = static_cast<std::ptrdiff_t>(std::min(from - 1, size));
            const auto until = static_cast<std::ptrdiff_t>(std::min(from - 1 + limit, size));
            good = good && positions_of(store.read(stream, {.from = from, .limit = limit})) ==
                               std::vector(all.begin() + at, all.begin() + until);
            const auto top = static_cast<std::ptrdiff_t>(size - std::min(from, size));
            const auto low = std::min(top + static_cast<std::ptrdiff_t>(limit),
                                      static_cast<std::ptrdiff_t>(size));
            const StreamRead back{.from = from, .limit = limit, .direction = Direction::backward};
            good = good && positions_of(store.read(stream, back)) ==
                               std::vector(all.rbegin() + top, all.rbegin() + low);
        }
    }
    CHECK(good);
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a stream is the same wherever the rows of its index have got to") {
    const StoreLocation location;
    EventStore store = location.open(fast);
    std::mt19937 random{7};
    for (int transaction = 0; transaction < 45; ++transaction) {
        scatter(store, random, 900, 400);
        append_run(store, "thing-7", 1 + random() % 30);
        if (transaction % 8 == 0) check_streams(store);
    }
    check_streams(store);
    const auto runs = runs_in_levels(store);
    CHECK(runs[0] > 1'000);
    CHECK(runs[1] > 30'000);
    CHECK(runs[2] > 1'000);
    CHECK(runs[2] < 4'000);
    check_every_read(store, "thing-7");
    check_every_read(store, "thing-8");
}

TEST_CASE("a read may start and end anywhere inside of what one append stored") {
    const StoreLocation location;
    EventStore store = location.open(fast);
    for (const std::size_t events : {1, 50, 1, 7, 2, 1}) {
        append_run(store, "thing-1", events);
        append_run(store, "other-1", 3);
    }
    check_every_read(store, "thing-1");
    CHECK(runs_in_levels(store)[2] == 12);
}

TEST_CASE("one stream that gets everything moves through all levels in order") {
    const StoreLocation location;
    EventStore store = location.open(fast);
    std::mt19937 random{7};
    fill_levels(store, random, 1);
    check_streams(store);
    CHECK(runs_in_levels(store)[0] > 0);
}

TEST_CASE("the newest appends of another handle are read and taken into account") {
    const StoreLocation location;
    EventStore one = location.open(fast);
    EventStore two = location.open(fast);
    std::map<std::string, std::uint64_t> versions;
    for (std::size_t round = 0; round < 2'500; ++round) {
        EventStore& store = round % 3 == 0 ? one : two;
        const std::string stream = "thing-" + std::to_string(round % 11);
        const Version expected = versions[stream];
        CHECK(store.version(stream) == expected);
        store.append(stream, at_version(expected), {numbered(round), numbered(round)});
        versions[stream] += 2;
        EventStore& other = round % 3 == 0 ? two : one;
        CHECK_THROWS_AS(other.append(stream, at_version(expected), {numbered(1)}), ConflictError);
    }
    check_streams(one);
    check_streams(two);
    CHECK(runs_in_levels(one)[1] > 0);
}

TEST_CASE("two handles that fill the index together keep its middle level short") {
    const StoreLocation location;
    EventStore one = location.open(fast);
    EventStore two = location.open(fast);
    std::mt19937 random{7};
    for (int transaction = 0; transaction < 40; ++transaction) {
        scatter(one, random, 1000, 400);
        scatter(two, random, 1000, 400);
    }
    // Each handle counts for itself, and does not notice what the other has merged since.
    const auto runs = runs_in_levels(one);
    CHECK(runs[1] > 30'000);
    CHECK(runs[1] < 50'000);
    CHECK(runs[2] < 4'000);
    CHECK(runs[0] + runs[1] + runs[2] == 80'000);
    check_streams(two);
}

TEST_CASE("a newly opened store finds the streams whose index is not merged") {
    const StoreLocation location;
    append_run(*std::make_unique<EventStore>(location.open()), "thing-1", 3);
    EventStore store = location.open();
    CHECK(runs_in_levels(store) == std::array<std::int64_t, 3>{0, 0, 1});
    CHECK(store.version("thing-1") == Version{3});
    CHECK_THROWS_AS(store.append("thing-1", no_stream, {numbered(1)}), ConflictError);
    store.append("thing-1", at_version(3), {numbered(4)});
    check_every_read(store, "thing-1");
}

TEST_CASE("what is rolled back leaves nothing in the index") {
    const StoreLocation location;
    EventStore store = location.open(fast);
    std::mt19937 random{7};
    fill_levels(store, random, 300);
    const auto before = runs_in_levels(store);
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
        for (int i = 0; i < 500; ++i) tx.append("thing-1", any_version, {numbered(1)});
        tx.append("lost-1", no_stream, {numbered(1)});
        throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(runs_in_levels(store) == before);
    const auto hook = store.add_commit_hook([](Transaction&) { throw std::runtime_error("no"); });
    CHECK_THROWS_AS(store.append("lost-1", no_stream, {numbered(1)}), std::runtime_error);
    CHECK(runs_in_levels(store) == before);
    CHECK(store.version("lost-1") == Version{0});
    check_streams(store);
}

TEST_CASE("a disk that is full in the middle of a merge loses nothing of a stream") {
    FaultyDisk disk;
    const StoreLocation location;
    EventStore store = location.open(fast);
    std::mt19937 random{7};
    fill_levels(store, random, 300);
    for (int round = 0; round < 4; ++round) {
        const auto before = runs_in_levels(store);
        disk.fail(FaultyDisk::Fault::full);
        CHECK_THROWS_AS(scatter(store, random, 400, 300), StorageError);
        disk.fail(FaultyDisk::Fault::none);
        CHECK(runs_in_levels(store) == before);
        scatter(store, random, 400, 300);
        CHECK(runs_in_levels(store)[0] > before[0]);
    }
    check_streams(store);
}

TEST_CASE("a process killed while it merges loses nothing of a stream") {
    const StoreLocation location;
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    {
        EventStore store = location.open(fast);
        fill_levels(store, random, 300);
    }
    std::uint64_t acknowledged = 0;
    int life_max = 40'000;
    for (int round = 0; round < 25; ++round) {
        ChildProcess child{[&](const ChildProcess::Report& report) {
            EventStore store = location.open(fast);
            for (;;) {
                scatter(store, random, 100, 300);
                report(store.head().value());
            }
        }};
        std::this_thread::sleep_for(
            std::chrono::microseconds{std::uniform_int_distribution<int>{4'000, life_max}(random)});
        child.kill();
        const auto reports = child.reports();
        // On a busy machine the process needs more time to append anything before the kill.
        if (reports.empty()) life_max = std::min(2 * life_max, 4'000'000);
        for (const std::uint64_t head : reports) acknowledged = head;
    }
    EventStore store = location.open();
    CHECK(acknowledged > 0);
    CHECK(store.head() >= Position{acknowledged});
    check_streams(store);
    const auto runs = runs_in_levels(store);
    CHECK(runs[0] + runs[1] + runs[2] == static_cast<std::int64_t>(store.head().value()));
}

TEST_CASE("scattered appends share the pages of the index") {
    const TemporaryDirectory directory;
    std::mt19937 random{7};
    {
        EventStore store = EventStore::open(directory.file("first.db"), fast);
        for (int transaction = 0; transaction < 100; ++transaction)
            scatter(store, random, 1000, 20'000);
    }
    // A copy begins with an empty write-ahead log, which then only grows.
    const std::string path = directory.file("copy.db");
    std::filesystem::copy_file(directory.file("first.db"), path);
    EventStore store = EventStore::open(path, fast);
    constexpr int transactions = 40;
    for (int transaction = 0; transaction < transactions; ++transaction)
        scatter(store, random, 100, 20'000);
    const auto pages = std::filesystem::file_size(path + "-wal") / 8192;
    CAPTURE(pages);
    // If each event changed a page of the index, a transaction would write about 100 pages.
    CHECK(pages / transactions < 40);
}

TEST_CASE("an index that contradicts itself is found and not made worse") {
    const StoreLocation location;
    EventStore store = location.open(fast);
    std::mt19937 random{7};
    for (int transaction = 0; transaction < 2; ++transaction) scatter(store, random, 1000, 300);
    SQLite::Database{location.uri(), SQLite::OPEN_READWRITE}.exec(
        "INSERT INTO daybook_stream_run_recent SELECT * FROM daybook_stream_run_new ORDER BY "
        "stream LIMIT 1");
    const Position head = store.head();
    CHECK_THROWS_AS(scatter(store, random, 1000, 300), CorruptError);
    CHECK(store.head() == head);
}

TEST_SUITE_END();
