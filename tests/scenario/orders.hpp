#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "program.hpp"

namespace scenario {

/// Orders and products to run the program on.
struct Input {
    std::string directory;

    Arguments run(const std::string& store, const Arguments& more = {}) const;
};

/// The small input that ships with the example.
Input sample();
/// The large input, which lies beside the repository. Nothing, with a message, if it is missing.
std::optional<Input> northwind();
/// Its first `orders`, written into `directory`, for tests that would take minutes with all of
/// them. With DAYBOOK_TEST_ALL_ORDERS set it is all of them.
std::optional<Input> northwind(int orders, const std::string& directory);

std::ptrdiff_t orders_in(const Input& input);

nlohmann::json report(const std::string& store);

/// Checks that every order has ended and that the sums of units and money agree.
void check_sums(const nlohmann::json& report);

/// The rows of each read model, as text, by the name of their model.
using Rows = std::map<std::string, std::vector<std::string>>;

/// All rows of all read models of the store.
Rows read_models(const std::string& store);

/// Checks that both have the same rows, one by one.
void check_same_rows(const Rows& rows, const Rows& expected);

}  // namespace scenario
