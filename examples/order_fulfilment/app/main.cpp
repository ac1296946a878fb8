#include "app/commands.hpp"
#include "read_models/read_models.hpp"
#include "sagas/sagas.hpp"

int main(int argc, char** argv) {
    return daybook::command::run(
        argc, argv,
        {.name = "order-fulfilment",
         .help = "A shop that turns orders into shipments",
         .projections = shop::add_read_models,
         .sagas = shop::add_sagas,
         .commands = {shop::run_command(), shop::show_command(), shop::report_command()}});
}
