#pragma once

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
/// The large one, which stands beside the repository; nothing, and a message, if it does not.
std::optional<Input> northwind();
/// Writes the first `orders` of an input into `directory`, which is theirs from then on.
Input first_orders(const Input& input, int orders, const std::string& directory);

nlohmann::json report(const std::string& store);

/// Checks that every order has ended and that units and money tie.
void check_sums(const nlohmann::json& report);

/// All rows of all read models of the store, as text, by the name of their model.
std::map<std::string, std::vector<std::string>> read_models(const std::string& store);

}  // namespace scenario
