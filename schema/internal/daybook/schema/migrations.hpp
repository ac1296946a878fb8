#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::detail {

/// One step of a store's own schema: a folder `schema/sql/<engine>/NNNN_what/`, one object a file.
/// Steps are append-only: what was released is never edited.
struct Migration {
    int number;
    std::string name;
    std::string sql;
};

/// All steps for `engine` (`sqlite`, `postgres`), by number from 1 without a gap. A step holds the
/// tables of `schema/sql/read_model/` as well, for the inline models of the store. Throws
/// InvalidError for an engine without a schema.
std::vector<Migration> migrations(std::string_view engine);

/// The tables of a read model's own database, as statements that both engines run. They leave alone
/// what exists already.
std::string read_model_tables();

/// Throws InvalidError if the store has a step that comes after `newest`, the last one of this
/// build: what this build would write could be incomplete. `store` is its name, for the error;
/// `stored` the number of its last step.
void refuse_newer_schema(std::string_view store, std::int64_t stored, const Migration& newest);

}  // namespace daybook::detail
