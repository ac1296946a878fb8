#include "daybook/schema/migrations.hpp"

#include <charconv>
#include <string>

#include "daybook/core/error.hpp"
#include "numbered_sql.hpp"

namespace daybook {
namespace {

constexpr std::size_t digits = 4;

// 0 for a name that is not `NNNN_what`.
int number_of(std::string_view name) noexcept {
    int number = 0;
    if (name.size() < digits + 2 || name[digits] != '_') return 0;
    const char* const begin = name.data();
    const char* const end = begin + digits;
    return std::from_chars(begin, end, number).ptr == end ? number : 0;
}

}  // namespace

namespace detail {

std::vector<Migration> numbered_sql(std::span<const EmbeddedSql> files, std::string_view engine) {
    std::vector<Migration> steps;
    for (const EmbeddedSql& file : files) {
        if (file.engine != engine) continue;
        const int wanted = static_cast<int>(steps.size()) + 1;
        if (number_of(file.name) != wanted) {
            throw CorruptError("schema/sql/" + std::string(engine) + '/' + std::string(file.name) +
                               ".sql: expected number " + std::to_string(wanted) +
                               "; name the files NNNN_what.sql, from 1 without a gap");
        }
        steps.push_back({wanted, file.name, file.text});
    }
    if (steps.empty()) {
        throw InvalidError("engine '" + std::string(engine) +
                           "' has no schema; this build knows what schema/sql/ holds");
    }
    return steps;
}

}  // namespace detail

std::vector<Migration> migrations(std::string_view engine) {
    return detail::numbered_sql(detail::embedded_sql(), engine);
}

void refuse_newer_schema(std::string_view store, std::int64_t stored, const Migration& newest) {
    if (stored <= newest.number) return;
    throw InvalidError("store '" + std::string(store) + "' has schema version " +
                       std::to_string(stored) + " and this Daybook knows up to " +
                       std::to_string(newest.number) +
                       ": open it with the newer Daybook that wrote it");
}

}  // namespace daybook
