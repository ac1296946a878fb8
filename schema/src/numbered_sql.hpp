#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "daybook/schema/migrations.hpp"
#include "embedded_sql.hpp"

namespace daybook::detail {

/// The steps that the files of `engine` make, by number. Within a step types come first, then
/// tables, functions, views; within a kind objects are in the order of their names. Throws
/// InvalidError for an engine without files, CorruptError for a file of another kind or if the
/// numbers are not 1, 2, 3 … without a gap.
std::vector<Migration> numbered_sql(std::span<const EmbeddedSql> files, std::string_view engine);

}  // namespace daybook::detail
