#include <string>

#include <doctest/doctest.h>

#include "daybook/daybook.hpp"
#include "orders.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

// A run has failed, and reports that, if it leaves work that will not continue by itself.

using namespace scenario;
using daybook::test::StoreLocation;
using daybook::test::TemporaryDirectory;

namespace {

/// The error text of a run over the sample that fails.
std::string error_of_run(const std::string& store) {
    const TemporaryDirectory directory;
    const std::string errors = directory.file("errors");
    CHECK(RunningProgram{sample().run(store), directory.file("output"), errors}.wait() == 1);
    return text_of_file(errors);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a run that leaves a message parked reports it and fails") {
    const StoreLocation location;
    const daybook::VirtualClock earlier_clock{daybook::Timestamp{}};
    location.open({.clock = &earlier_clock}).transact([](daybook::Transaction& tx) {
        const daybook::EventType unknown = daybook::EventType::checked("stock.burn", 1);
        tx.publish({"warehouse", unknown, "{}", {.key = "burning"}});
        tx.publish({"warehouse", unknown, "{}", {.key = "burning"}});
    });
    const std::string error = error_of_run(location.uri());
    CAPTURE(error);
    CHECK(contains(error, "\norder-fulfilment: failure: not everything came to its end: "));
    CHECK(contains(error, "1 message parked and 1 message held behind"));
    CHECK(contains(error, "0 sagas unfinished"));
    CHECK(report(location.uri()).at("orders_fulfilled") == 18);
}

TEST_CASE("a run that leaves a saga unfinished reports it and fails") {
    const StoreLocation location;
    location.open().append(
        "order-broken", daybook::any_version,
        {daybook::NewEvent{daybook::EventType::checked("order.placed", 1), "{}"}});
    const std::string error = error_of_run(location.uri());
    CAPTURE(error);
    CHECK(contains(error, "1 saga unfinished"));
    CHECK(report(location.uri()).at("unfinished_sagas") == 1);
}
