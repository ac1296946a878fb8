// Step 5: the commands of `daybook` for the projections of this program.
//
//     5_shop_command projections rebuild order_list --store orders.db

#include <daybook/command/command.hpp>
#include <daybook/projections/projections.hpp>

#include "order_list_v2.hpp"

int main(int argc, char** argv) {
    return daybook::command::run(argc, argv,
                                 {.name = "shop",
                                  .help = "Looks after the orders of the tutorial",
                                  .projections = [](daybook::ProjectionRunner& runner) {
                                      runner.add(shop::OrderListV2{});
                                  }});
}
