#include <chrono>
#include <deque>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "daybook/daybook.hpp"
#include "orders.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

// The order-fulfilment app spread over several processes that share only the store.

using namespace scenario;
using namespace std::chrono_literals;
using daybook::test::StoreLocation;
using daybook::test::TemporaryDirectory;

namespace {

constexpr int processes = 4;

/// Runs of the app on one store, started at once.
class Spread {
public:
    Spread(const Input& input, const std::string& store) {
        for (int i = 1; i <= processes; ++i) {
            const std::string number = std::to_string(i);
            runs_.emplace_back(input.run(store, {"--name", "run-" + number}),
                               directory_.file("output-" + number));
        }
    }
    RunningProgram& operator[](std::size_t i) { return runs_[i]; }
    /// Checks that all but the first `killed` end with success.
    void check_ends(std::size_t killed = 0) {
        for (std::size_t i = killed; i < runs_.size(); ++i) CHECK(runs_[i].wait() == 0);
    }

private:
    TemporaryDirectory directory_;
    std::deque<RunningProgram> runs_;
};

/// How many relays held partitions of the outbox at the same time.
std::int64_t relays_of(const std::string& store) {
    std::int64_t relays = 0;
    daybook::EventStore::open(store, {.create = false}).query([&](daybook::Sql& sql) {
        relays = sql.integer("SELECT COUNT(*) FROM daybook_lease WHERE name LIKE 'outbox-relay/%'")
                     .value_or(0);
    });
    return relays;
}

nlohmann::json check_spread(const Input& input) {
    const StoreLocation location;
    Spread{input, location.uri()}.check_ends();
    const auto totals = report(location.uri());
    check_sums(totals);
    // The last one to start may find nothing left to do.
    CHECK(relays_of(location.uri()) > 1);
    return totals;
}

/// Waits until the store holds that many orders, or `run` has ended.
void wait_for_orders(const std::string& store, std::ptrdiff_t orders, RunningProgram& run) {
    const auto opened = daybook::EventStore::open(store);
    const auto placed = [&] {
        return std::ranges::distance(opened.read_all({.filter = {.types = {"order.placed"}}}));
    };
    std::uint64_t seen = opened.commits();
    while (run.is_running() && placed() < orders) {
        opened.wait_for_commit(seen, 10ms);
        seen = opened.commits();
    }
}

}  // namespace

TEST_CASE("the sample spread over four processes ends every order and units and money balance") {
    const auto totals = check_spread(sample());
    CHECK(totals.at("orders_total") == 25);
    CHECK(totals.at("orders_fulfilled") > 0);
}

TEST_CASE("Northwind spread over four processes ends every order and units and money balance") {
    const TemporaryDirectory directory;
    const auto input = northwind(60, directory.path().string());
    if (!input) return;
    const auto totals = check_spread(*input);
    const std::ptrdiff_t orders = orders_in(*input);
    CHECK(orders >= 60);
    CHECK(totals.at("orders_total") == orders);
    CHECK(totals.at("orders_fulfilled") > orders * 3 / 5);
    CHECK(totals.at("products").size() == 77);
}

TEST_CASE("the unfinished work of a killed process is done by the three that are left") {
    const StoreLocation location;
    Spread spread{sample(), location.uri()};
    wait_for_orders(location.uri(), 8, spread[0]);
    spread[0].kill();
    spread.check_ends(1);
    const auto totals = report(location.uri());
    check_sums(totals);
    CHECK(totals.at("orders_total") == 25);
}
