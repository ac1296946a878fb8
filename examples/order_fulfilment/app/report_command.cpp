#include <daybook/command/command.hpp>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/figures.hpp"
#include "app/text_table.hpp"

namespace shop {
namespace {

using daybook::command::ExitCode;
using daybook::command::Invocation;
using daybook::command::Output;

/// More orders than these are not listed one by one.
constexpr std::size_t orders_listed_max = 40;
constexpr std::int64_t customers_listed_max = 5;

nlohmann::ordered_json to_json(const Figures& figures) {
    auto products = nlohmann::ordered_json::array();
    for (const StockLevelRow& product : figures.products) {
        products.push_back({{"sku", product.sku},
                            {"opening", product.opening},
                            {"replenished", product.replenished},
                            {"shipped", product.shipped},
                            {"on_hand", product.on_hand},
                            {"reserved", product.reserved}});
    }
    return {{"orders_total", figures.orders_total},
            {"orders_fulfilled", figures.orders_fulfilled},
            {"orders_cancelled", figures.orders_cancelled},
            {"goods_cents", figures.goods_cents},
            {"freight_cents", figures.freight_cents},
            {"charged_cents", figures.charged_cents},
            {"refunded_cents", figures.refunded_cents},
            {"unsent_messages", figures.unsent_messages},
            {"unfinished_sagas", figures.unfinished_sagas},
            {"products", std::move(products)}};
}

void print(Output& output, std::string_view title, const TextTable& table) {
    output.line("");
    output.line(title);
    for (const std::string& line : table.lines()) output.line(line);
}

void print_orders(Output& output, const Books& books) {
    const auto orders = books.orders();
    if (orders.empty() || orders.size() > orders_listed_max) return;
    TextTable table{{"order", "placed", "customer", ">total", "status", "because"}};
    for (const OrderFigures& order : orders) {
        table.add({order.order, daybook::to_iso8601(order.placed_at).substr(0, 10), order.customer,
                   money(order.total_cents), order.status, order.reason});
    }
    print(output, "Orders", table);
}

void print_customers(Output& output, const Books& books) {
    TextTable table{{"customer", "country", ">fulfilled", ">cancelled", ">spent"}};
    for (const CustomerFigures& customer : books.best_customers(customers_listed_max)) {
        table.add({customer.name, customer.country, std::to_string(customer.fulfilled),
                   std::to_string(customer.cancelled), money(customer.spent_cents)});
    }
    print(output, "Best customers", table);
}

void print_months(Output& output, const Books& books) {
    TextTable table{{"month", ">orders", ">goods", ">freight"}};
    for (const MonthFigures& month : books.months()) {
        table.add({month.month, std::to_string(month.orders), money(month.goods_cents),
                   money(month.freight_cents)});
    }
    print(output, "Revenue by month", table);
}

void print_stock(Output& output, const Figures& figures) {
    TextTable table{
        {"sku", "product", ">opening", ">+ replenished", ">- shipped", ">= on hand", ">reserved"}};
    for (const StockLevelRow& product : figures.products) {
        table.add({product.sku, product.name, std::to_string(product.opening),
                   std::to_string(product.replenished), std::to_string(product.shipped),
                   std::to_string(product.on_hand), std::to_string(product.reserved)});
    }
    print(output, "Stock", table);
}

void print_order_sums(Output& output, const Books& books, const Figures& figures) {
    const std::int64_t ended = figures.orders_fulfilled + figures.orders_cancelled;
    TextTable table{{">orders", ""}};
    table.add({std::to_string(figures.orders_total), "placed"});
    table.add({std::to_string(figures.orders_fulfilled), "fulfilled"});
    table.add({std::to_string(figures.orders_total - ended), "on their way"});
    table.add({std::to_string(figures.orders_cancelled), "cancelled, because"});
    for (const auto& [reason, count] : books.cancellations()) {
        table.add({std::to_string(count), "  " + reason});
    }
    print(output, "What became of the orders", table);
}

void print_money(Output& output, const Figures& figures) {
    TextTable table{{">amount", ""}};
    table.add({money(figures.charged_cents), "charged"});
    table.add({money(figures.refunded_cents), "refunded"});
    table.add({money(figures.charged_cents - figures.refunded_cents), "kept, that is"});
    table.add({money(figures.goods_cents), "  goods of the fulfilled orders"});
    table.add({money(figures.freight_cents), "  their freight"});
    print(output, "What became of the money", table);
}

ExitCode report(Invocation& invocation) {
    const Books books{invocation.open_store()};
    const Figures figures = books.figures();
    Output& output = invocation.output();
    if (invocation.json()) {
        output.record(to_json(figures));
        return ExitCode::ok;
    }
    print_stock(output, figures);
    print_months(output, books);
    print_customers(output, books);
    print_orders(output, books);
    print_order_sums(output, books, figures);
    print_money(output, figures);
    output.line("");
    output.line(std::to_string(figures.unsent_messages) + " messages unsent, " +
                std::to_string(figures.unfinished_sagas) + " sagas unfinished");
    return ExitCode::ok;
}

}  // namespace

daybook::command::Subcommand report_command() {
    return {.name = "report",
            .help = "What became of the orders, the money and the stock",
            .run = report};
}

}  // namespace shop
