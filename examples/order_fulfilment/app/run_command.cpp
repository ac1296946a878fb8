#include <stdexcept>
#include <string>
#include <string_view>

#include <daybook/command/command.hpp>

#include "app/commands.hpp"
#include "app/shop.hpp"

namespace shop {
namespace {

using daybook::command::ExitCode;
using daybook::command::IfMissing;
using daybook::command::Invocation;
using daybook::command::Option;

CashierOptions cashier_options(const Invocation& invocation) {
    const std::int64_t percent = invocation.number("--payment-failure-percent");
    if (percent < 0 || percent > 100) {
        throw daybook::InvalidError("--payment-failure-percent is a number from 0 to 100");
    }
    return {.seed = static_cast<std::uint64_t>(invocation.number("--seed")),
            .failure_percent = percent};
}

/// `1 saga`, `2 sagas`.
std::string counted(std::size_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string complaint(const Leftovers& left) {
    std::string text = "not everything came to its end: ";
    if (left.parked_messages + left.held_messages > 0) {
        text += counted(left.parked_messages, "message") + " parked and " +
                counted(left.held_messages, "message") + " held behind (see 'outbox parked'), ";
    }
    return text + counted(left.unfinished_sagas, "saga") +
           " unfinished (see 'sagas list --unfinished'): mend the cause, replay or retry, and run "
           "again";
}

/// The same store, in the time of the story.
daybook::EventStore reopen(const daybook::EventStore& store, const daybook::Clock& clock) {
    daybook::StoreOptions options = store.options();
    options.clock = &clock;
    return daybook::EventStore::open(store.uri(), options);
}

ExitCode run(Invocation& invocation) {
    const auto products = read_products(invocation.text("--products"));
    const auto orders = read_orders(invocation.text("--orders"));
    check_products(orders, products);
    const CashierOptions cashier = cashier_options(invocation);
    const std::string name = invocation.text("--name");
    if (name.empty()) throw daybook::InvalidError("--name is not to be empty");

    daybook::VirtualClock clock{orders.empty() ? daybook::Timestamp{} : orders.front().at};
    const auto store = reopen(invocation.open_store(IfMissing::create), clock);
    Shop shop{store, clock, {.name = name, .cashier = cashier}};
    shop.open(products);

    const std::stop_token stop = invocation.stop();
    daybook::command::Progress progress{invocation.output(), "orders"};
    std::uint64_t taken = 0;
    for (const IncomingOrder& order : orders) {
        if (stop.stop_requested()) {
            throw daybook::CancelledError("stopped on request; run it again to go on");
        }
        shop.take(order);
        progress.update(++taken, orders.size());
    }
    const Leftovers left = shop.close();
    if (left.any()) throw std::runtime_error(complaint(left));
    return ExitCode::ok;
}

}  // namespace

daybook::command::Subcommand run_command() {
    return {.name = "run",
            .help =
                "Take orders and work until all are fulfilled or cancelled; "
                "after a crash, the same command goes on; several may share the work",
            .options = {{.name = "--orders",
                         .help = "One order per line, in order of date",
                         .value = "FILE",
                         .required = true},
                        {.name = "--products",
                         .help = "One product per line",
                         .value = "FILE",
                         .required = true},
                        {.name = "--name",
                         .help = "Who this is; of runs at the same time on one store each needs "
                                 "its own",
                         .fallback = "order-fulfilment"},
                        {.name = "--seed",
                         .help = "Which payments fail",
                         .takes = Option::Takes::number,
                         .fallback = "1"},
                        {.name = "--payment-failure-percent",
                         .help = "How many payments fail",
                         .takes = Option::Takes::number,
                         .fallback = "5"}},
            .run = run};
}

}  // namespace shop
