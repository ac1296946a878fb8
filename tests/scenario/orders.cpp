#include "orders.hpp"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "daybook/daybook.hpp"

namespace scenario {

Arguments Input::run(const std::string& store, const Arguments& more) const {
    Arguments arguments{"run",
                        "--store",
                        store,
                        "--orders",
                        directory + "/orders.ndjson",
                        "--products",
                        directory + "/products.ndjson"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

Input sample() { return {SAMPLE_ORDERS}; }

std::optional<Input> northwind() {
    if (std::filesystem::exists(std::string{NORTHWIND_ORDERS} + "/orders.ndjson")) {
        return Input{NORTHWIND_ORDERS};
    }
    MESSAGE("skipped: there are no Northwind orders in ", NORTHWIND_ORDERS);
    return std::nullopt;
}

Input first_orders(const Input& input, int orders, const std::string& directory) {
    std::filesystem::copy_file(input.directory + "/products.ndjson",
                               directory + "/products.ndjson");
    std::ifstream all{input.directory + "/orders.ndjson"};
    std::ofstream some{directory + "/orders.ndjson"};
    std::string line;
    for (int i = 0; i < orders && std::getline(all, line); ++i) some << line << '\n';
    return {directory};
}

nlohmann::json report(const std::string& store) {
    return nlohmann::json::parse(run_program({"report", "--store", store, "--json"}));
}

void check_sums(const nlohmann::json& report) {
    const auto number = [](const nlohmann::json& object, const char* key) {
        return object.at(key).get<std::int64_t>();
    };
    CHECK(number(report, "orders_total") ==
          number(report, "orders_fulfilled") + number(report, "orders_cancelled"));
    CHECK(number(report, "charged_cents") - number(report, "refunded_cents") ==
          number(report, "goods_cents") + number(report, "freight_cents"));
    CHECK(number(report, "unsent_messages") == 0);
    CHECK(number(report, "unfinished_sagas") == 0);
    for (const auto& product : report.at("products")) {
        CAPTURE(product.at("sku"));
        CHECK(number(product, "opening") + number(product, "replenished") -
                  number(product, "shipped") ==
              number(product, "on_hand"));
        CHECK(number(product, "on_hand") >= 0);
        CHECK(number(product, "reserved") == 0);
    }
}

std::map<std::string, std::vector<std::string>> read_models(const std::string& store) {
    std::map<std::string, std::vector<std::string>> tables;
    const daybook::ReadModels models{daybook::EventStore::open(store, {.create = false})};
    for (const std::string name :
         {"order_summary", "stock_level", "customer_orders", "revenue_by_month"}) {
        auto& rows = tables[name];
        models.query(name, [&](daybook::Sql& sql) {
            sql.each("SELECT * FROM " + name + " ORDER BY 1", [&](const daybook::SqlRow& row) {
                std::string& text = rows.emplace_back();
                for (int column = 0; column < row.columns(); ++column) {
                    text += row.is_null(column) ? "NULL" : std::string(row.text(column));
                    text += '|';
                }
            });
        });
    }
    return tables;
}

}  // namespace scenario
