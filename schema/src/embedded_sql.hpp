#pragma once

#include <span>
#include <string_view>

namespace daybook::detail {

/// The file `schema/sql/<engine>/<name>.sql`, compiled into the library. A name is
/// `NNNN_what/<kind>/<object>`. The engine `read_model` stands for what both have.
struct EmbeddedSql {
    std::string_view engine;
    std::string_view name;
    std::string_view text;
};

/// Every embedded file, sorted by engine, then name. Lives as long as the program; any thread.
std::span<const EmbeddedSql> embedded_sql() noexcept;

}  // namespace daybook::detail
