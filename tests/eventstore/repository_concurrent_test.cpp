#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "aggregate_bank.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace bank;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("concurrent: no update is lost when several threads update one aggregate") {
    constexpr int threads = 4;
    constexpr int updates = 25;
    Repository<Vault> vaults{test::new_store(),
                             {.snapshot_every = 10, .retry = every(1ms).attempts(1'000)}};
    vaults.update_or_create("vault-1", [](Vault& vault) { vault.deposit(0); });
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < threads; ++i) {
            workers.emplace_back([&] {
                for (int n = 0; n < updates; ++n) {
                    vaults.update("vault-1", [](Vault& vault) { vault.deposit(1); });
                }
            });
        }
    }
    const Vault vault = vaults.load("vault-1");
    CHECK(vault.balance() == threads * updates);
    CHECK(vault.version() == Version{threads * updates + 1});
    CHECK(vault.folded() < 50);
}

TEST_SUITE_END();
