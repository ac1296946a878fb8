#include "engine/postgres/server_error.hpp"

#include <algorithm>

#include "daybook/core/denied_error.hpp"
#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

constexpr std::size_t statement_shown_max = 300;

std::string field(const PGresult* result, int code) {
    const char* const value = PQresultErrorField(result, code);
    return value == nullptr ? "" : value;
}

/// Whether the text is a SQLSTATE. Every one that is used has a digit; "FATAL" has none.
bool is_state(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_part = [&](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); };
    return text.size() == 5 && std::ranges::all_of(text, is_part) &&
           std::ranges::any_of(text, is_digit);
}

/// Removes the SQLSTATE from the first line of a message (`FATAL:  3D000: database "x" does not
/// exist`), drops the other lines and returns the state. Empty if the message is libpq's own.
std::string take_state(std::string& message) {
    message.erase(std::min(message.find('\n'), message.size()));
    for (auto at = message.find(": "); at != std::string::npos; at = message.find(": ", at + 1)) {
        const auto state = message.find_first_not_of(' ', at + 1);
        if (state == std::string::npos || message.substr(state + 5, 1) != ":") continue;
        std::string found = message.substr(state, 5);
        if (!is_state(found)) continue;
        message.erase(state, 7);
        return found;
    }
    return {};
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return text;
}

std::string sql_state_of(const PGresult* result) { return field(result, PG_DIAG_SQLSTATE); }

bool is_read_only_server(std::string_view state, const Failure& failure) noexcept {
    // A server in recovery refuses unlogged tables as a feature that is not supported (0A000). The
    // store's own statements cannot get this error for any other reason.
    const bool in_recovery = state == "0A000" && failure.author == Author::store;
    return (state == "25006" || in_recovery) && !failure.on_reader;
}

bool is_store_missing(std::string_view state, const Failure& failure) noexcept {
    // Undefined table, function, schema, column, object.
    constexpr std::string_view missing[] = {"42P01", "42883", "3F000", "42703", "42704"};
    return failure.author == Author::store &&
           std::ranges::find(missing, state) != std::end(missing);
}

void fail(const ConnectionString& connection_string, const PGresult* result,
          const Failure& failure) {
    const std::string state = sql_state_of(result);
    const std::string primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string message =
        primary.empty() ? std::string(trimmed(PQresultErrorMessage(result))) : primary;
    std::string what = "store '" + connection_string.name + "': " + message;
    if (!state.empty()) what += " (SQLSTATE " + state + ")";
    const auto is = [&](std::string_view wanted) { return state.starts_with(wanted); };
    if (state.empty() || is("08") || is("57P")) {
        throw UnavailableError(what + ": check that the server runs, and try again");
    }
    if (failure.was_stale) throw UnavailableError(what + ": try again");
    if (is_read_only_server(state, failure)) {
        throw UnavailableError(what +
                               ": the server only reads, as a standby does: try again when it "
                               "has taken over, or name the one that writes");
    }
    if (is_store_missing(state, failure)) {
        throw UnavailableError(what +
                               ": the store has been dropped or is being restored: try again "
                               "when it is there, or open it anew");
    }
    if (is("55P03")) throw UnavailableError(what + ": another process is writing; try again");
    if (is("40") || is("53300") || is("57014") || is("53200") || is("53400") || is("25P03") ||
        is("55006") || is("XX000")) {
        throw UnavailableError(what + ": try again");
    }
    if (is("53")) throw StorageError(what + ": free space on the server and try again");
    if (is("58") || is("F0")) throw StorageError(what + ": check the server's disk and its log");
    if (is("XX001") || is("XX002")) throw CorruptError(what + ": restore it from a backup");
    if (is("28") || is("42501")) {
        throw DeniedError(what + ": give the user the right to do this");
    }
    if (is("3D")) throw NotFoundError(what + ": create it first, or check its name");
    throw InvalidError(what + ": " + std::string(failure.statement.substr(0, statement_shown_max)));
}

void fail_to_connect(const ConnectionString& connection_string, PGconn* connection) {
    std::string why{trimmed(PQerrorMessage(connection))};
    const std::string state = take_state(why);
    const std::string what = "store '" + connection_string.name + "': " + why;
    if (state == "3D000") {
        throw NotFoundError(what + ": create the database first, or check its name");
    }
    if (state.starts_with("28") || PQconnectionNeedsPassword(connection) == 1) {
        throw DeniedError(what + ": check the user and the password");
    }
    throw UnavailableError(what + ": check that the server runs, and the URI");
}

}  // namespace daybook::postgres
