#pragma once

#include <span>
#include <string_view>

namespace daybook::detail {

/// One file of `schema/sql/<engine>/<name>.sql`, compiled into the library.
struct EmbeddedSql {
    std::string_view engine;
    std::string_view name;
    std::string_view text;
};

/// Every embedded file, sorted by engine, then name. Lives as long as the program; any thread.
std::span<const EmbeddedSql> embedded_sql() noexcept;

}  // namespace daybook::detail
