#include <algorithm>
#include <atomic>
#include <fstream>
#include <limits>
#include <new>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child_process.hpp"
#include "patience.hpp"
#include "private_cluster.hpp"
#include "transfer_fixture.hpp"

// A mirror from a file that a process appends to as fast as it can, to a server that is killed
// again and again and comes back after a while.

using namespace transfer_test;
using namespace std::chrono_literals;
using daybook::test::ChildProcess;
using daybook::test::PrivateCluster;
using daybook::test::TemporaryDirectory;

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int outages = 3;
constexpr int events_of_append = 20;
constexpr std::size_t payload_bytes = 2'000;
constexpr std::size_t queued_bytes_max = 1024 * 1024;
constexpr std::size_t queued_events_max = 1'000;
/// The events that accumulate in each outage: far more than the mirror may hold.
constexpr std::uint64_t backlog_events = 24 * queued_bytes_max / payload_bytes;
/// The memory that the mirror may need besides: its queue, transactions in progress, buffers of
/// both engines. A sanitizer keeps freed memory, so with one only the peaks of the queue are
/// checked.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t growth_max = std::numeric_limits<std::size_t>::max();
#else
constexpr std::size_t growth_max = 12 * 1024 * 1024;
#endif

/// Shared memory of the test and the process that appends.
struct Shared {
    std::atomic<std::uint64_t> events_allowed{0};  ///< limits the log, as no disk holds everything
    std::atomic<bool> stop{false};
};

/// Memory that a child shares with its parent.
class SharedMemory {
public:
    SharedMemory()
        : memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (memory_ == MAP_FAILED) throw std::runtime_error("no shared memory");
        shared_ = new (memory_) Shared;
    }
    ~SharedMemory() { ::munmap(memory_, sizeof(Shared)); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    Shared& operator*() const { return *shared_; }

private:
    void* memory_;
    Shared* shared_ = nullptr;
};

/// Appends as fast as it can until it is to stop; reports the number of events.
void append_all_the_time(const std::string& file, const Shared& shared,
                         const ChildProcess::Report& report) {
    EventStore store = EventStore::open(file);
    const std::string filling(payload_bytes, 'x');
    std::uint64_t number = 0;
    while (!shared.stop) {
        if (number >= shared.events_allowed) {
            std::this_thread::sleep_for(1ms);
            continue;
        }
        std::vector<NewEvent> events;
        for (int i = 0; i < events_of_append; ++i) {
            const std::string data = "[" + std::to_string(++number) + ",\"" + filling + "\"]";
            events.push_back({EventType::checked("thing.told", 1), data});
        }
        store.append("thing-" + std::to_string(number % 13), any_version, events);
    }
    report(number);
}

/// This process' memory that no file stands behind.
std::size_t memory_bytes() {
    std::ifstream status{"/proc/self/status"};
    std::string word;
    std::size_t kilobytes = 0;
    while (status >> word) {
        if (word == "RssAnon:") status >> kilobytes;
    }
    return kilobytes * 1024;
}

/// Looks at a mirror, remembers the most memory that was seen, and lets the source keep a lead.
class Watch {
public:
    Watch(const Mirror& mirror, Shared& shared)
        : mirror_(mirror), shared_(shared), begin_(memory_bytes()) {}

    /// Waits until the status is as wanted; the last one that was seen.
    template <class Wanted>
    MirrorStatus until(const Wanted& wanted) {
        const auto deadline = SteadyClock::now() + daybook::test::patience();
        for (;;) {
            peak_ = std::max(peak_, memory_bytes());
            const MirrorStatus status = mirror_.status();
            allow(status.position.value() + backlog_events);
            if (wanted(status) || SteadyClock::now() > deadline) return status;
            std::this_thread::sleep_for(1ms);
        }
    }
    void allow(std::uint64_t events) {
        if (events > shared_.events_allowed) shared_.events_allowed = events;
    }
    std::size_t growth() const { return peak_ - std::min(peak_, begin_); }

private:
    const Mirror& mirror_;
    Shared& shared_;
    std::size_t begin_;
    std::size_t peak_ = 0;
};

/// Kills the server while the mirror is at work, and lets it come back when much has piled up.
void have_outage(PrivateCluster& cluster, const EventStore& source, Watch& watch) {
    const Position before = watch.until([](const auto&) { return true; }).position;
    const auto moving = watch.until([&](const auto& now) { return now.position > before; });
    CHECK(moving.position > before);
    cluster.kill();
    const Position head = source.head();
    watch.allow(head.value() + backlog_events + 1'000);
    // The lag that the mirror reports grows.
    const Position piled{head.value() + backlog_events};
    const auto lagging = watch.until([&](const auto& now) { return now.head >= piled; });
    CHECK(lagging.head >= piled);
    CHECK(lagging.lag() >= backlog_events);
    const auto waiting =
        watch.until([](const auto& now) { return now.state == MirrorState::waiting; });
    CHECK(waiting.state == MirrorState::waiting);
    CHECK_FALSE(waiting.last_error.empty());
    CHECK(waiting.lag() >= lagging.lag());
    cluster.restart();
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("a mirror under full load survives outages of its target and stays small") {
    const TemporaryDirectory directory;
    const std::string file = directory.file("source.db");
    const SharedMemory memory;
    Shared& shared = *memory;
    ChildProcess appender{[&](const auto& report) { append_all_the_time(file, shared, report); }};
    PrivateCluster cluster;
    const EventStore source = EventStore::open(file);
    // So that it does not take a minute to give up on a commit.
    const StoreOptions impatient{.busy_wait_max = 3s, .reply_wait_max = 3s};
    Mirror mirror{source,
                  EventStore::open(cluster.uri(), impatient),
                  {.batch_max = 400,
                   .queued_events_max = queued_events_max,
                   .queued_bytes_max = queued_bytes_max,
                   .retry = every(100ms)}};
    shared.events_allowed = backlog_events;
    mirror.start();
    // With the buffers that a mirror at work needs anyway.
    CHECK(mirror.wait_for(Position{2'000}, daybook::test::patience()));
    Watch watch{mirror, shared};
    for (int i = 0; i < outages; ++i) have_outage(cluster, source, watch);
    shared.stop = true;
    CHECK(appender.wait() == 0);
    const auto appended = appender.reports();
    REQUIRE(appended.size() == 1);
    CHECK(source.head() == Position{appended.front()});

    const auto done =
        watch.until([&](const auto& now) { return now.position == Position{appended.front()}; });
    CHECK(done.stored == appended.front());
    CHECK(done.queued_events_peak <= queued_events_max);
    CHECK(done.queued_bytes_peak <= queued_bytes_max);
    CHECK(done.queued_bytes_peak > queued_bytes_max / 2);
    CHECK(watch.until([](const auto& now) { return now.state == MirrorState::live; }).lag() == 0);
    MESSAGE(appended.front() << " events, memory grew by " << watch.growth() / 1024 << " kB");
    CHECK(watch.growth() < growth_max);
    mirror.stop();

    const EventStore target = EventStore::open(cluster.uri());
    CHECK(target.head() == source.head());
    CHECK(hash_of(target) == hash_of(source));
}

TEST_SUITE_END();
