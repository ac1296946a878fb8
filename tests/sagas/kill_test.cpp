#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "child_process.hpp"
#include "office.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

#ifdef NDEBUG
constexpr int orders = 1'000;
#else
constexpr int orders = 500;
#endif
constexpr int processes = 2;
constexpr int kills_max = 60;
// A killed process leaves the file as it was at the last commit; power loss is tested elsewhere.
constexpr Durability durability = Durability::normal;

/// Runs an office; reports once, and returns when every saga has ended.
void run_office(const std::string& uri, const std::string& name,
                const ChildProcess::Report& report) {
    Office office{EventStore::open(uri, {.durability = durability}), name, patient_order_saga(),
                  steady_response};
    office.start();
    while (!all_ended(office.store, orders)) std::this_thread::sleep_for(50ms);
    office.stop();
    report(1);
}

std::unique_ptr<ChildProcess> begin_office(const std::string& uri, int number) {
    return std::make_unique<ChildProcess>([&](const ChildProcess::Report& report) {
        run_office(uri, "office-" + std::to_string(number), report);
    });
}

/// Waits until more sagas than `before` have started, or all; returns their number. Thus no start
/// meets two kills: a start at which processes die repeatedly is given up.
std::size_t wait_for_starts(const StoreLocation& location, std::size_t before) {
    const EventStore store = location.open();
    const SagaIndex index{store};
    std::size_t started = 0;
    CHECK(eventually([&] {
        started = index.count();
        return started > before || started == orders;
    }));
    return started;
}

}  // namespace

TEST_CASE("A13: kill -9 in a loop over many sagas leaves each ended and every effect done once") {
    const StoreLocation location;
    {
        EventStore store = location.open({.durability = durability});
        for (int i = 1; i <= orders; ++i)
            store.append("order-" + std::to_string(i), any_version,
                         {OrderPlaced{std::to_string(i)}});
    }
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    std::unique_ptr<ChildProcess> offices[processes];
    int kills = 0;
    std::size_t started = 0;
    bool done = false;
    for (int i = 0; i < processes; ++i) offices[i] = begin_office(location.uri(), i);
    while (!done && kills < kills_max) {
        started = wait_for_starts(location, started);
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 300});
        const auto victim = random() % processes;
        offices[victim]->kill();
        done = !offices[victim]->reports().empty();
        ++kills;
        if (!done) offices[victim] = begin_office(location.uri(), static_cast<int>(victim));
    }
    // The survivors, if any, finish undisturbed.
    for (auto& office : offices) CHECK(office->wait() == 0);
    MESSAGE(kills << " kills over " << orders << " sagas");
    const EventStore store = location.open();
    CHECK(all_ended(store, orders));
    CHECK(verify_orders(store, orders) == "");
    CHECK(kills > 5);
}
