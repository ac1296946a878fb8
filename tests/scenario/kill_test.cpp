#include <chrono>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "orders.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

using namespace scenario;
using daybook::test::StoreLocation;
using daybook::test::TemporaryDirectory;

namespace {

using Microseconds = std::chrono::microseconds;

/// Runs the program to its end and returns the time that took.
Microseconds run_undisturbed(const Input& input, const std::string& store) {
    const auto begin = std::chrono::steady_clock::now();
    run_program(input.run(store));
    return std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - begin);
}

/// Kills that many runs after random times, then lets one run to its end. A run that ends before
/// its kill counts as well: it has nothing more to do.
void run_killed(const Input& input, int kills, const std::string& store, Microseconds whole,
                const std::string& output) {
    const auto seed = std::random_device{}();
    MESSAGE("seed ", seed);
    std::mt19937 random{seed};
    // The runs are, on the average, so long that together they cover the whole work.
    std::uniform_int_distribution<Microseconds::rep> lifetime{1'000, 2 * whole.count() / kills};
    int killed = 0;
    for (int i = 0; i < kills; ++i) {
        RunningProgram program{input.run(store), output};
        std::this_thread::sleep_for(Microseconds{lifetime(random)});
        killed += program.kill() ? 1 : 0;
    }
    MESSAGE(killed, " of ", kills, " runs were killed");
    run_program(input.run(store));
}

void check_kills(const Input& input, int kills) {
    const TemporaryDirectory directory;
    const StoreLocation undisturbed_place;
    const StoreLocation killed_place;
    const std::string& undisturbed = undisturbed_place.uri();
    const std::string& killed = killed_place.uri();
    const auto whole = run_undisturbed(input, undisturbed);
    run_killed(input, kills, killed, whole, directory.file("output"));
    const auto totals = report(killed);
    check_sums(totals);
    CHECK(totals == report(undisturbed));
    check_same_rows(read_models(killed), read_models(undisturbed));
}

}  // namespace

TEST_CASE("twenty kills lead to the rows of an undisturbed run of the sample") {
    check_kills(sample(), 20);
}

TEST_CASE("sixty kills lead to the rows of an undisturbed run of Northwind") {
    const TemporaryDirectory directory;
    if (const auto input = northwind(60, directory.path().string())) check_kills(*input, 60);
}
