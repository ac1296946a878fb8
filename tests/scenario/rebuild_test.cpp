#include <doctest/doctest.h>

#include "orders.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

using namespace scenario;
using daybook::test::StoreLocation;
using daybook::test::TemporaryDirectory;

TEST_CASE("read models rebuilt while orders come in equal those that were never rebuilt") {
    const TemporaryDirectory directory;
    const Input input = northwind(100, directory.path().string()).value_or(sample());
    const StoreLocation calm_place;
    const std::string& calm = calm_place.uri();
    run_program(input.run(calm));

    const StoreLocation location;
    const std::string& store = location.uri();
    int rebuilds = 0;
    RunningProgram program{input.run(store), directory.file("output")};
    while (program.is_running()) {
        try {
            run_program({"projections", "rebuild", "--all", "--store", store});
            ++rebuilds;
        } catch (const std::runtime_error&) {
            // At first there is no store yet; later the rebuild must not fail.
            if (rebuilds > 0 && program.is_running()) throw;
        }
    }
    CHECK(program.wait() == 0);
    CHECK(rebuilds > 0);
    MESSAGE(rebuilds, " rebuilds of all read models");
    check_sums(report(store));
    const auto rows = read_models(store);
    check_same_rows(rows, read_models(calm));

    run_program({"projections", "rebuild", "--all", "--store", store});
    check_same_rows(rows, read_models(store));
}
