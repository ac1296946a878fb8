#include "engine/postgres/place.hpp"

#include <algorithm>
#include <memory>

#include <libpq-fe.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_uri.hpp"

namespace daybook::postgres {

namespace {

// PostgreSQL cuts longer names off without a word. Read models add to a store's own name.
constexpr std::size_t store_schema_bytes_max = 40;

/// What libpq would take for a host or a port, and show, may be a part of the password.
void check_login(const Place& place, std::string_view uri) {
    const std::string_view address = uri.substr(0, uri.find('?'));
    const auto begin = address.find("://") + 3;
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return;
    if (address.substr(begin, at - begin).find_first_of("@/") == std::string_view::npos) return;
    throw InvalidError("store '" + place.name +
                       "': write '@' and '/' in a user's name or password as %40 and %2F");
}

void check_schema(const Place& place) {
    bool good = !place.schema.empty() && place.schema.size() <= store_schema_bytes_max &&
                !place.schema.starts_with("pg_");
    for (const char c : place.schema) {
        const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        good = good && word;
    }
    if (!good) {
        throw InvalidError("store '" + place.name + "': schema '" + place.schema +
                           "': use 1 to 40 of a to z, 0 to 9, '_' and '-', not beginning with "
                           "'pg_'");
    }
}

void take(Place& place, std::string_view key, std::string_view value) {
    if (key == "schema") {
        place.schema = value;
    } else if (value == "transaction") {
        place.pooled = true;
    } else if (value != "none") {
        throw InvalidError("store '" + place.name + "': pooler '" + std::string(value) +
                           "': it is 'transaction' or 'none'");
    }
}

// What libpq finds out late, and then shows in its messages.
bool has_bad_part(const PQconninfoOption* options) {
    for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        const std::string_view value = option->val == nullptr ? "" : option->val;
        if (keyword == "host" && value.find('@') != std::string_view::npos) return true;
        if (keyword == "port" && value.find_first_not_of("0123456789,") != std::string_view::npos) {
            return true;
        }
        // The server quotes a user or a database that it does not know.
        if (keyword == "user" && value.find(':') != std::string_view::npos) return true;
        if (keyword == "dbname" && value.find('=') != std::string_view::npos) return true;
    }
    return false;
}

void check_with_libpq(const Place& place, std::string_view uri) {
    char* why = nullptr;
    PQconninfoOption* const parsed = PQconninfoParse(place.conninfo.c_str(), &why);
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options{parsed,
                                                                                 PQconninfoFree};
    const std::unique_ptr<char, void (*)(void*)> message{why, PQfreemem};
    if (options && !has_bad_part(options.get())) return;
    // What libpq says may quote the password.
    const bool has_password = place.name != uri;
    throw InvalidError("store '" + place.name + "' is not an URI that libpq takes: " +
                       (message && !has_password
                            ? message.get()
                            : "check host and port, and write '%', '/', '?' and '@' in a password "
                              "as %25, %2F, %3F and %40"));
}

}  // namespace

Place parse_place(std::string_view uri) {
    Place place;
    place.name = shown_uri(uri);
    check_login(place, uri);
    const auto question = uri.find('?');
    place.conninfo = uri.substr(0, question);
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
            take(place, key, parameter.substr(at));
            continue;
        }
        place.conninfo += separator;
        place.conninfo += parameter;
        separator = '&';
    }
    check_schema(place);
    check_with_libpq(place, uri);
    return place;
}

}  // namespace daybook::postgres
