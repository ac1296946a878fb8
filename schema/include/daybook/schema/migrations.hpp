#pragma once

#include <cstdint>
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

/// Throws InvalidError if the store has a step that comes after `newest`, the last one of this
/// build: what this build would write could be incomplete. `store` is its name, for the error;
/// `stored` the number of its last step.
void refuse_newer_schema(std::string_view store, std::int64_t stored, const Migration& newest);

}  // namespace daybook
