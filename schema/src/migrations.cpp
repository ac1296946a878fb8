#include "daybook/schema/migrations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tuple>

#include "daybook/core/error.hpp"
#include "numbered_sql.hpp"

namespace daybook::detail {
namespace {

constexpr std::string_view read_model = "read_model";
constexpr std::size_t digits = 4;
/// What may be referred to comes first.
constexpr std::array<std::string_view, 4> kinds{"types", "tables", "functions", "views"};

/// 0 for a name that is not `NNNN_what`.
int number_of(std::string_view name) noexcept {
    int number = 0;
    if (name.size() < digits + 2 || name[digits] != '_') return 0;
    const char* const begin = name.data();
    const char* const end = begin + digits;
    return std::from_chars(begin, end, number).ptr == end ? number : 0;
}

/// A file's place among those of its engine: the step, the rank of its kind, its object.
using FilePlace = std::tuple<std::string_view, std::size_t, std::string_view>;

FilePlace place_of(const EmbeddedSql& file) {
    const auto step_end = file.name.find('/');
    const auto kind_end = file.name.find('/', step_end + 1);
    if (kind_end != std::string_view::npos && step_end != std::string_view::npos) {
        const auto kind = file.name.substr(step_end + 1, kind_end - step_end - 1);
        const auto* const found = std::ranges::find(kinds, kind);
        if (found != kinds.end()) {
            return {file.name.substr(0, step_end), static_cast<std::size_t>(found - kinds.begin()),
                    file.name.substr(kind_end + 1)};
        }
    }
    throw CorruptError("schema/sql/" + std::string(file.engine) + '/' + std::string(file.name) +
                       ".sql: name the file NNNN_what/<kind>/<object>.sql; the kinds are types, "
                       "tables, functions and views");
}

std::map<FilePlace, std::string_view> ordered(std::span<const EmbeddedSql> files,
                                              std::string_view engine) {
    std::map<FilePlace, std::string_view> texts;
    for (const EmbeddedSql& file : files) {
        if (file.engine == engine) texts.emplace(place_of(file), file.text);
    }
    return texts;
}

}  // namespace

std::vector<Migration> numbered_sql(std::span<const EmbeddedSql> files, std::string_view engine) {
    std::vector<Migration> steps;
    for (const auto& [place, text] : ordered(files, engine)) {
        const std::string_view name = std::get<0>(place);
        if (steps.empty() || steps.back().name != name) {
            const int wanted = static_cast<int>(steps.size()) + 1;
            if (number_of(name) != wanted) {
                throw CorruptError("schema/sql/" + std::string(engine) + '/' + std::string(name) +
                                   ": expected number " + std::to_string(wanted) +
                                   "; name the folders NNNN_what, from 1 without a gap");
            }
            steps.push_back({wanted, std::string(name), {}});
        }
        steps.back().sql.append(text);
    }
    if (steps.empty()) {
        throw InvalidError("engine '" + std::string(engine) +
                           "' has no schema; this build knows what schema/sql/ holds");
    }
    return steps;
}

std::vector<Migration> migrations(std::string_view engine) {
    std::vector<Migration> steps = numbered_sql(embedded_sql(), engine);
    for (const Migration& shared : numbered_sql(embedded_sql(), read_model)) {
        const auto step = std::ranges::find(steps, shared.number, &Migration::number);
        if (step == steps.end()) {
            throw CorruptError("schema/sql/" + std::string(engine) + ": has no step of number " +
                               std::to_string(shared.number) + " as read models have");
        }
        step->sql.append(shared.sql);
    }
    return steps;
}

std::string read_model_tables() {
    std::string all;
    for (const Migration& step : numbered_sql(embedded_sql(), read_model)) all.append(step.sql);
    return all;
}

void refuse_newer_schema(std::string_view store, std::int64_t stored, const Migration& newest) {
    if (stored <= newest.number) return;
    throw InvalidError("store '" + std::string(store) + "' has schema version " +
                       std::to_string(stored) + " and this Daybook knows up to " +
                       std::to_string(newest.number) +
                       ": open it with the newer Daybook that wrote it");
}

}  // namespace daybook::detail
