#pragma once

#include <daybook/command/program.hpp>

namespace shop {

/// Takes orders from a file and lets the shop work until all of them are fulfilled or cancelled.
daybook::command::Subcommand run_command();
/// Tells the story of one order.
daybook::command::Subcommand show_command();
/// What became of the orders, the money and the stock.
daybook::command::Subcommand report_command();

}  // namespace shop
