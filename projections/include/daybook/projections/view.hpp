#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daybook/eventstore/sql.hpp"

namespace daybook {

/// The read model that a handler writes to. All of it commits together with the checkpoint. There
/// is nothing else a handler can do with it, no message to send for instance, so that a rebuild
/// repeats nothing but rows.
class View {
public:
    explicit View(Sql& sql) noexcept : sql_(sql) {}

    /// `view.exec("UPDATE balances SET cents = cents + ? WHERE account = ?", e->cents, e.stream())`
    /// returns how many rows it changed. A constant text is prepared once.
    template <class... Args>
    std::int64_t exec(std::string_view statement, const Args&... args) {
        return sql_.exec(statement, args...);
    }
    /// Shows each row of the answer to `visit`; returns their number.
    template <class Visit, class... Args>
    std::int64_t each(std::string_view statement, Visit&& visit, const Args&... args) {
        return sql_.each(statement, std::forward<Visit>(visit), args...);
    }
    /// The first column of the first row; nothing if there is no row or a NULL.
    template <class... Args>
    std::optional<std::int64_t> integer(std::string_view statement, const Args&... args) {
        return sql_.integer(statement, args...);
    }
    template <class... Args>
    std::optional<std::string> text(std::string_view statement, const Args&... args) {
        return sql_.text(statement, args...);
    }

private:
    Sql& sql_;
};

}  // namespace daybook
