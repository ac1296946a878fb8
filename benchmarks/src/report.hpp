#pragma once

#include <ostream>
#include <span>
#include <string>

#include "runner.hpp"

namespace bench {

/// What the comparisons were measured on, as one line.
std::string surroundings(const std::string& directory);

void print_table(std::ostream& out, std::span<const Measured> comparisons);

/// One object on one line.
void print_json(std::ostream& out, const Measured& measured);

}  // namespace bench
