#include "engine/postgres/connection_string.hpp"

#include <algorithm>
#include <memory>

#include <libpq-fe.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_uri.hpp"

namespace daybook::postgres {

namespace {

// PostgreSQL truncates names of more than 63 bytes silently, so that two stores could get the same
// schema. The schemas of read models append their names to the store's.
constexpr std::size_t store_schema_bytes_max = 40;

/// With an unescaped '@' or '/' in it, libpq would take a part of the password for the host or the
/// port, and show it in its messages.
void check_login(const ConnectionString& connection_string, std::string_view uri) {
    const std::string_view address = uri.substr(0, uri.find('?'));
    const auto begin = address.find("://") + 3;
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return;
    if (address.substr(begin, at - begin).find_first_of("@/") == std::string_view::npos) return;
    throw InvalidError("store '" + connection_string.name +
                       "': write '@' and '/' in a user's name or password as %40 and %2F");
}

void check_schema(const ConnectionString& connection_string) {
    bool good = !connection_string.schema.empty() &&
                connection_string.schema.size() <= store_schema_bytes_max &&
                !connection_string.schema.starts_with("pg_");
    for (const char c : connection_string.schema) {
        const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        good = good && word;
    }
    if (!good) {
        throw InvalidError("store '" + connection_string.name + "': schema '" +
                           connection_string.schema +
                           "': use 1 to 40 of a to z, 0 to 9, '_' and '-', not beginning with "
                           "'pg_'");
    }
}

void set_parameter(ConnectionString& connection_string, std::string_view key,
                   std::string_view value) {
    if (key == "schema") {
        connection_string.schema = value;
    } else if (value == "transaction") {
        connection_string.pooled = true;
    } else if (value != "none") {
        throw InvalidError("store '" + connection_string.name + "': pooler '" + std::string(value) +
                           "': it is 'transaction' or 'none'");
    }
}

// Whether libpq would accept an option that fails only when it connects. Its message, or the
// server's, would then quote the value, which may be a part of the password.
bool has_bad_part(const PQconninfoOption* options) {
    for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        const std::string_view value = option->val == nullptr ? "" : option->val;
        if (keyword == "host" && value.find('@') != std::string_view::npos) return true;
        if (keyword == "port" && value.find_first_not_of("0123456789,") != std::string_view::npos) {
            return true;
        }
        // The server's message quotes a user or a database that does not exist.
        if (keyword == "user" && value.find(':') != std::string_view::npos) return true;
        if (keyword == "dbname" && value.find('=') != std::string_view::npos) return true;
    }
    return false;
}

void check_with_libpq(const ConnectionString& connection_string, std::string_view uri) {
    char* why = nullptr;
    PQconninfoOption* const parsed = PQconninfoParse(connection_string.conninfo.c_str(), &why);
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options{parsed,
                                                                                 PQconninfoFree};
    const std::unique_ptr<char, void (*)(void*)> message{why, PQfreemem};
    if (options && !has_bad_part(options.get())) return;
    // libpq's message may quote the password.
    const bool has_password = connection_string.name != uri;
    throw InvalidError("store '" + connection_string.name + "' is not an URI that libpq takes: " +
                       (message && !has_password
                            ? message.get()
                            : "check host and port, and write '%', '/', '?' and '@' in a password "
                              "as %25, %2F, %3F and %40"));
}

}  // namespace

ConnectionString parse_connection_string(std::string_view uri) {
    ConnectionString connection_string;
    connection_string.name = shown_uri(uri);
    check_login(connection_string, uri);
    const auto question = uri.find('?');
    connection_string.conninfo = uri.substr(0, question);
    std::string_view rest = question == std::string_view::npos ? "" : uri.substr(question + 1);
    char separator = '?';
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const std::string_view parameter = rest.substr(0, end);
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
        const auto equals = parameter.find('=');
        const std::string_view key = parameter.substr(0, equals);
        if (key == "schema" || key == "pooler") {
            const auto at = equals == std::string_view::npos ? parameter.size() : equals + 1;
            set_parameter(connection_string, key, parameter.substr(at));
            continue;
        }
        connection_string.conninfo += separator;
        connection_string.conninfo += parameter;
        separator = '&';
    }
    check_schema(connection_string);
    check_with_libpq(connection_string, uri);
    return connection_string;
}

}  // namespace daybook::postgres
