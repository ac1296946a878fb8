#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "daybook/schema/migrations.hpp"
#include "embedded_sql.hpp"

namespace daybook::detail {

/// The files of `engine` by number. Throws InvalidError for an engine without files, CorruptError
/// if the numbers are not 1, 2, 3 … without a gap.
std::vector<Migration> numbered_sql(std::span<const EmbeddedSql> files, std::string_view engine);

}  // namespace daybook::detail
