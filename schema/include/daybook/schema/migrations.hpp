#pragma once

#include <string_view>
#include <vector>

namespace daybook {

/// One step of a store's own schema: a file of `schema/sql/<engine>/`, named `NNNN_what.sql`.
/// Steps are append-only: what was released is never edited.
struct Migration {
    int number;
    std::string_view name;
    std::string_view sql;
};

/// All steps for `engine` (`sqlite`), by number from 1 without a gap. Throws InvalidError for an
/// engine without a schema.
std::vector<Migration> migrations(std::string_view engine);

}  // namespace daybook
