#include "postgres/place.hpp"

#include <memory>

#include <libpq-fe.h>

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

// PostgreSQL cuts longer names off without a word. Read models add to a store's own name.
constexpr std::size_t schema_bytes_max = 40;

std::string without_password(std::string_view uri) {
    std::string name{uri};
    const auto user = name.find("://") + 3;
    const auto at = name.find('@', user);
    const auto colon = name.find(':', user);
    if (at != std::string::npos && colon < at && at < name.find('/', user)) {
        name.replace(colon, at - colon, ":***");
    }
    const auto parameter = name.find("password=");
    if (parameter != std::string::npos) {
        const auto value = parameter + std::string_view{"password="}.size();
        const auto end = name.find('&', value);
        name.replace(value, (end == std::string::npos ? name.size() : end) - value, "***");
    }
    return name;
}

void check_schema(const Place& place) {
    bool good = !place.schema.empty() && place.schema.size() <= schema_bytes_max &&
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

void check_with_libpq(const Place& place) {
    char* why = nullptr;
    PQconninfoOption* const parsed = PQconninfoParse(place.conninfo.c_str(), &why);
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options{parsed,
                                                                                 PQconninfoFree};
    const std::unique_ptr<char, void (*)(void*)> message{why, PQfreemem};
    if (options) return;
    throw InvalidError("store '" + place.name + "' is not an URI that libpq takes: " +
                       (message ? message.get() : "out of memory"));
}

}  // namespace

Place parse_place(std::string_view uri) {
    Place place;
    place.name = without_password(uri);
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
    check_with_libpq(place);
    return place;
}

std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
        text += c;
        if (c == '"') text += c;
    }
    return text + '"';
}

}  // namespace daybook::postgres
