#include "daybook/eventstore/worker.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;
using daybook::test::eventually;
using daybook::test::StoreLocation;

namespace {

/// A store whose log lines are collected.
class Logged {
public:
    Logged()
        : store(location_.open({.log = [this](LogLevel, std::string_view text) {
              const std::scoped_lock lock{mutex_};
              lines_.emplace_back(text);
          }})) {}

    std::vector<std::string> lines() const {
        const std::scoped_lock lock{mutex_};
        return lines_;
    }

private:
    const StoreLocation location_;
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;

public:
    const EventStore store;
};

NewEvent an_event() { return {EventType::checked("thing.done", 1), "{}"}; }

}  // namespace

TEST_CASE("a worker that has nothing to do is woken by a commit and not before") {
    const Logged logged;
    EventStore store = logged.store;
    std::atomic<int> steps = 0;
    Worker worker{store, {.name = "worker", .retry = every(1ms)}};
    worker.start([&](const std::stop_token&) {
        ++steps;
        return NextStep::after_commit(forever);
    });
    REQUIRE(eventually([&] { return steps == 1; }));
    store.append("thing-1", any_version, {an_event()});
    CHECK(eventually([&] { return steps >= 2; }));
}

TEST_CASE("a commit between a step and its wait is not slept through") {
    const Logged logged;
    EventStore store = logged.store;
    std::atomic<int> steps = 0;
    Worker worker{store, {.name = "worker", .retry = every(1ms)}};
    worker.start([&](const std::stop_token&) {
        if (++steps == 1) store.append("thing-1", any_version, {an_event()});
        return NextStep::after_commit(forever);
    });
    CHECK(eventually([&] { return steps >= 2; }));
}

TEST_CASE("a wait that no commit shortens is not shortened") {
    const Logged logged;
    EventStore store = logged.store;
    std::vector<std::chrono::steady_clock::time_point> steps;
    std::atomic<bool> done = false;
    constexpr auto wait = 30ms;
    Worker worker{store, {.name = "worker", .retry = every(1ms)}};
    worker.start([&](const std::stop_token&) {
        if (done) return NextStep::after(forever);
        steps.push_back(std::chrono::steady_clock::now());
        done = steps.size() == 5;
        return steps.size() % 2 == 0 ? NextStep::after(wait) : NextStep::after_commit(wait, wait);
    });
    while (!done) store.append("thing-1", any_version, {an_event()});
    worker.stop();
    for (std::size_t i = 1; i < steps.size(); ++i) CHECK(steps[i] - steps[i - 1] >= wait);
}

TEST_CASE("an outage of any length is waited out and is one line in the log [B7]") {
    const Logged logged;
    std::atomic<int> steps = 0;
    std::atomic<int> shown = 0;
    std::atomic<bool> back = false;
    Worker worker{logged.store,
                  {.name = "worker",
                   .retry = every(1ms),
                   .may_fail = true,
                   .on_wait = [&](const std::exception_ptr&) {
                       // The reason is logged before the callback is called.
                       if (!logged.lines().empty()) ++shown;
                   }}};
    worker.start([&](const std::stop_token&) {
        ++steps;
        if (!back) throw std::bad_alloc{};
        return NextStep::after_commit(forever);
    });
    REQUIRE(eventually([&] { return steps > 20; }));
    CHECK(shown > 10);
    back = true;
    CHECK(eventually([&] { return logged.lines().size() == 2; }));
    const auto lines = logged.lines();
    CHECK(lines.front() == "worker waits: std::bad_alloc");
    CHECK(lines.back() == "worker goes on");
}

TEST_CASE("an outage that returns after the work has continued is logged again [B7]") {
    const Logged logged;
    std::atomic<int> steps = 0;
    Worker worker{logged.store, {.name = "worker", .retry = every(1ms)}};
    worker.start([&](const std::stop_token&) -> NextStep {
        // A long step reports by itself that it has made progress.
        if (++steps == 3) worker.note_progress();
        if (steps > 4) return NextStep::after(forever);
        throw UnavailableError{"no server"};
    });
    CHECK(eventually([&] { return logged.lines().size() == 4; }));
    CHECK(logged.lines() == std::vector<std::string>{"worker waits: no server", "worker goes on",
                                                     "worker waits: no server", "worker goes on"});
}

TEST_CASE("one bad read ends no worker and the same one again and again does [B7]") {
    const Logged logged;
    std::atomic<int> steps = 0;
    std::atomic<bool> failed = false;
    int bad = 3;
    bool may_fail = true;
    SUBCASE("it comes each time") {}
    SUBCASE("it was read after all") { bad = 2; }
    SUBCASE("nothing may end this one") {
        may_fail = false;
        bad = 20;
    }
    Worker worker{logged.store,
                  {.name = "worker",
                   .retry = every(1ms),
                   .may_fail = may_fail,
                   .on_failure = [&](const std::exception_ptr&) { failed = true; }}};
    worker.start([&](const std::stop_token&) {
        if (++steps <= bad) throw CorruptError{"torn"};
        return NextStep::after_commit(forever);
    });
    const bool ends = may_fail && bad == 3;
    CHECK(eventually([&] { return failed || steps > bad; }));
    CHECK(failed == ends);
    const auto lines = logged.lines();
    if (ends) CHECK(lines.back() == "worker has ended: torn");
}

TEST_CASE("a store that goes away between two bad reads makes the second a first one [B7]") {
    const Logged logged;
    std::atomic<int> steps = 0;
    std::atomic<bool> failed = false;
    Worker worker{logged.store,
                  {.name = "worker",
                   .retry = every(1ms),
                   .may_fail = true,
                   .on_failure = [&](const std::exception_ptr&) { failed = true; }}};
    worker.start([&](const std::stop_token&) {
        ++steps;
        if (steps > 20) return NextStep::after_commit(forever);
        if (steps % 3 == 0) throw UnavailableError{"no server"};
        throw CorruptError{"torn"};
    });
    CHECK(eventually([&] { return steps > 20; }));
    CHECK_FALSE(failed);
}

TEST_CASE("a step that reports a final error ends its worker at once") {
    const Logged logged;
    std::atomic<bool> failed = false;
    Worker worker{
        logged.store,
        {.name = "worker", .retry = every(1ms), .on_failure = [&](const std::exception_ptr& error) {
             failed = error_text(error) == "no";
         }}};
    worker.start([](const std::stop_token&) {
        return NextStep::never(std::make_exception_ptr(std::runtime_error{"no"}));
    });
    CHECK(eventually([&] { return failed.load(); }));
    CHECK(worker.is_started());
}

TEST_CASE("an exception of the callback for errors ends no worker [B7]") {
    const Logged logged;
    std::atomic<int> steps = 0;
    Worker worker{logged.store,
                  {.name = "worker", .retry = every(1ms), .on_wait = [](const std::exception_ptr&) {
                       throw 7;
                   }}};
    worker.start([&](const std::stop_token&) -> NextStep {
        ++steps;
        throw 8;
    });
    CHECK(eventually([&] { return steps > 3; }));
}

TEST_CASE("a step may stop its worker, start it again or destroy it") {
    const Logged logged;
    std::atomic<int> steps = 0;
    std::atomic<bool> stopped = false;
    const auto make = [&] {
        return std::make_unique<Worker>(
            logged.store, WorkerOptions{.name = "worker", .retry = every(1ms), .on_stop = [&] {
                                            stopped = true;
                                        }});
    };
    auto worker = make();
    SUBCASE("stop") {
        worker->start([&](const std::stop_token&) {
            ++steps;
            worker->stop();
            return NextStep::now();
        });
        CHECK(eventually([&] { return stopped.load(); }));
        CHECK(steps == 1);
        worker->stop();
        stopped = false;
        worker->start([&](const std::stop_token&) {
            ++steps;
            return NextStep::after(forever);
        });
        CHECK(eventually([&] { return steps == 2; }));
        worker->stop();
        CHECK(stopped);
    }
    SUBCASE("destroy") {
        worker->start([&](const std::stop_token&) {
            ++steps;
            worker.reset();
            return NextStep::now();
        });
        CHECK(eventually([&] { return stopped.load(); }));
        CHECK(steps == 1);
    }
}

TEST_CASE("a worker that is stopped while it waits out an error does not wait longer") {
    const Logged logged;
    std::atomic<bool> waits = false;
    Worker worker{
        logged.store,
        {.name = "worker", .retry = every(forever), .on_wait = [&](const auto&) { waits = true; }}};
    worker.start([](const std::stop_token&) -> NextStep { throw UnavailableError{"no server"}; });
    REQUIRE(eventually([&] { return waits.load(); }));
    worker.stop();
    CHECK_FALSE(worker.is_started());
}
