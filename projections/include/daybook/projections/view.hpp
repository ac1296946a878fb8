#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daybook/eventstore/sql.hpp"

namespace daybook {

/// The read model as a handler gets it. All changes commit together with the checkpoint. A handler
/// can change rows and nothing else, such as send a message, so that a rebuild has no other effect
/// than the same rows.
class View {
public:
    explicit View(Sql& sql) noexcept : sql_(sql) {}

    /// `view.exec("UPDATE balances SET cents = cents + ? WHERE account = ?", e->cents, e.stream())`
    /// returns how many rows it changed. A constant text is prepared once.
    template <class... Args>
    std::int64_t exec(std::string_view statement, const Args&... args) {
        return sql_.exec(statement, args...);
    }
    /// Calls `visit` with each row of the result; returns their number.
    template <class Visit, class... Args>
    std::int64_t each(std::string_view statement, Visit&& visit, const Args&... args) {
        return sql_.each(statement, std::forward<Visit>(visit), args...);
    }
    /// The first column of the first row; nothing if there is no row or it is NULL.
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
