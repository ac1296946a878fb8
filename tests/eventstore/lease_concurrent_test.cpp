#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/eventstore/eventstore.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("concurrent: of many owners that acquire a lease at once only one gets it") {
    const test::StoreLocation location;
    const std::string& path = location.uri();
    std::atomic<int> holders{0};
    std::vector<std::uint64_t> tokens(4, 0);
    {
        std::vector<std::jthread> owners;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            owners.emplace_back([&, i] {
                Leases leases{EventStore::open(path)};
                const auto lease = leases.try_acquire("feed", std::to_string(i), 1h);
                if (lease) tokens[i] = lease->token;
                if (lease) ++holders;
            });
        }
    }
    CHECK(holders == 1);
    CHECK(std::multiset<std::uint64_t>(tokens.begin(), tokens.end()) ==
          std::multiset<std::uint64_t>{0, 0, 0, 1});
}

TEST_SUITE_END();
