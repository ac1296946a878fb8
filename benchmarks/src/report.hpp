#pragma once

#include <ostream>
#include <span>
#include <string>

#include "runner.hpp"

namespace bench {

/// What the figures were measured on, as one line.
std::string surroundings(const std::string& directory);

void print_table(std::ostream& out, std::span<const Measured> figures);

/// One object on one line.
void print_json(std::ostream& out, const Measured& measured);

}  // namespace bench
