#include "orders.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

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

std::optional<Input> northwind(int orders, const std::string& directory) {
    const auto whole = northwind();
    if (!whole || std::getenv("DAYBOOK_TEST_ALL_ORDERS") != nullptr) return whole;
    std::filesystem::copy_file(whole->directory + "/products.ndjson",
                               directory + "/products.ndjson");
    std::ifstream all{whole->directory + "/orders.ndjson"};
    std::ofstream some{directory + "/orders.ndjson"};
    std::string line;
    for (int i = 0; i < orders && std::getline(all, line); ++i) some << line << '\n';
    return Input{directory};
}

std::ptrdiff_t orders_in(const Input& input) {
    std::ifstream orders{input.directory + "/orders.ndjson"};
    return std::count(std::istreambuf_iterator<char>{orders}, {}, '\n');
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

Rows read_models(const std::string& store) {
    Rows tables;
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

void check_same_rows(const Rows& rows, const Rows& expected) {
    REQUIRE(rows.size() == expected.size());
    for (const auto& [model, expected_rows] : expected) {
        const auto& model_rows = rows.at(model);
        CAPTURE(model);
        REQUIRE(model_rows.size() == expected_rows.size());
        for (std::size_t i = 0; i < expected_rows.size(); ++i) {
            CHECK(model_rows[i] == expected_rows[i]);
        }
    }
}

}  // namespace scenario
