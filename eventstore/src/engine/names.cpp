#include "engine/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_uri.hpp"

namespace daybook {

namespace {

constexpr std::string_view hidden = "***";
constexpr std::string_view blanks = " \t\r\n";

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lowered(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

// ----- names that are not paths

bool is_scheme(std::string_view text) {
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

/// The part before `://`; the whole name if there is none.
std::string_view before_slashes(std::string_view name) {
    return name.substr(0, std::min(name.find("://"), name.size()));
}

bool is_clearly_path(std::string_view name) {
    if (name.find("://") != name.npos) return false;
    return name.starts_with('/') || name.starts_with("./") || name.starts_with("../") ||
           name.starts_with("sqlite:") || name.starts_with("file:");
}

/// Such as `postgresql:ada:secret@db`, `postgres//db`.
bool has_broken_scheme(std::string_view name) {
    const std::string text = lowered(name);
    for (const std::string_view scheme : {"postgresql", "postgres", "pgsql", "psql", "pg"}) {
        if (!text.starts_with(scheme)) continue;
        const std::string_view rest = std::string_view(text).substr(scheme.size());
        if (rest.starts_with(':') || rest.starts_with("//")) return true;
    }
    return false;
}

/// Such as `ada:secret@db`.
bool has_login(std::string_view name) {
    const auto at = name.rfind('@');
    return at != name.npos && name.substr(0, at).find(':') != name.npos;
}

/// Such as `host=db password=secret`, or the form of other programs: `Server=db;Pwd=secret`.
bool has_settings(std::string_view name) {
    static constexpr std::array<std::string_view, 14> keywords{
        "host",   "hostaddr", "port",    "dbname",   "user",    "service", "sslmode",
        "server", "database", "user id", "username", "options", "uid",     "data source"};
    for (auto equals = name.find('='); equals != name.npos; equals = name.find('=', equals + 1)) {
        const auto end = name.find_last_not_of(blanks, equals == 0 ? 0 : equals - 1);
        if (equals == 0 || end == name.npos) continue;
        const auto before = name.find_last_of(";,&?'\"/\t\r\n=", end);
        const auto begin = before == name.npos ? 0 : before + 1;
        const std::string phrase = lowered(name.substr(begin, end + 1 - begin));
        const std::string word = phrase.substr(phrase.find_last_of(blanks) + 1);
        if (word.find("pass") != word.npos || word.find("pwd") != word.npos) return true;
        const bool in_path = before != name.npos && name[before] == '/';
        if (!in_path && (is_one_of(keywords, word) || is_one_of(keywords, phrase))) return true;
    }
    return false;
}

bool is_misspelt(std::string_view name) {
    if (is_clearly_path(name)) return false;
    if (name.find("://") != name.npos) return !is_scheme(before_slashes(name));
    return has_broken_scheme(name) || has_login(name) || has_settings(name);
}

// ----- the parts of a URI

/// Whether the text has an escaped character that, once libpq has decoded it, could separate a
/// password from the text before it.
bool has_escaped_sign(std::string_view text) {
    const std::string low = lowered(text);
    return std::ranges::any_of(std::array<std::string_view, 4>{"%3a", "%3d", "%40", "%20"},
                               [&](auto sign) { return low.find(sign) != low.npos; });
}

/// The text up to the first of `characters`; the rest is hidden.
std::string shown_until(std::string_view text, std::string_view characters) {
    const auto end = text.find_first_of(characters);
    std::string shown(text.substr(0, end));
    if (end == text.npos) return shown;
    if (text[end] == ':') shown += ':';
    return shown += hidden;
}

/// A host and its port. If the '@' is missing, a password stands where the port should be, so only
/// a number is shown there.
std::string shown_host(std::string_view host) {
    if (has_escaped_sign(host) || host.find_first_of(" \t\r\n=;") != host.npos) {
        return std::string(hidden);
    }
    const auto bracket = host.starts_with('[') ? host.find(']') : 0;
    if (bracket == host.npos) return std::string(hidden);
    const auto colon = host.find(':', bracket);
    if (colon == host.npos || std::ranges::all_of(host.substr(colon + 1), is_digit)) {
        return std::string(host);
    }
    return std::string(host.substr(0, colon + 1)).append(hidden);
}

/// Hosts and database, such as `db1:5432,db2/orders`.
std::string shown_address(std::string_view address) {
    const auto slash = address.find('/');
    std::string_view hosts = address.substr(0, slash);
    std::string shown;
    for (;;) {
        const auto comma = hosts.find(',');
        shown += shown_host(hosts.substr(0, comma));
        if (comma == hosts.npos) break;
        shown += ',';
        hosts.remove_prefix(comma + 1);
    }
    if (slash == address.npos) return shown;
    const std::string_view database = address.substr(slash);
    if (has_escaped_sign(database)) return (shown += '/') += hidden;
    return shown += shown_until(database, " \t\r\n=:;,'\"");
}

/// A parameter such as `sslmode=require`. An unlisted keyword is hidden: it may be a misspelt
/// `password`, or part of a password.
std::string shown_parameter(std::string_view parameter) {
    static constexpr std::array<std::string_view, 31> harmless{"host",
                                                               "hostaddr",
                                                               "port",
                                                               "dbname",
                                                               "user",
                                                               "schema",
                                                               "pooler",
                                                               "service",
                                                               "application_name",
                                                               "fallback_application_name",
                                                               "client_encoding",
                                                               "connect_timeout",
                                                               "keepalives",
                                                               "keepalives_idle",
                                                               "keepalives_interval",
                                                               "keepalives_count",
                                                               "tcp_user_timeout",
                                                               "channel_binding",
                                                               "replication",
                                                               "gssencmode",
                                                               "sslmode",
                                                               "sslcompression",
                                                               "sslcert",
                                                               "sslkey",
                                                               "sslrootcert",
                                                               "sslcrl",
                                                               "sslcrldir",
                                                               "sslsni",
                                                               "ssl_min_protocol_version",
                                                               "ssl_max_protocol_version",
                                                               "target_session_attrs"};
    static constexpr std::array<std::string_view, 4> secret{"password", "sslpassword", "passfile",
                                                            "options"};
    const auto equals = parameter.find('=');
    if (equals == parameter.npos) return std::string(hidden);
    const std::string_view key = parameter.substr(0, equals);
    const std::string_view value = parameter.substr(equals + 1);
    if (is_one_of(harmless, key) && !has_escaped_sign(value) &&
        value.find_first_of(" \t\r\n=:@;'\"") == value.npos) {
        return std::string(parameter);
    }
    if (!is_one_of(harmless, key) && !is_one_of(secret, key)) return std::string(hidden);
    return std::string(key) + "=" + std::string(hidden);
}

/// The part after the login: the address and the parameters.
std::string shown_rest(std::string_view rest) {
    const auto end = rest.find_first_of("?&#");
    std::string shown = shown_address(rest.substr(0, end));
    while (!rest.empty()) {
        const auto separator = rest.find_first_of("?&#");
        if (separator == rest.npos) break;
        shown += rest[separator];
        rest.remove_prefix(separator + 1);
        if (!rest.empty()) shown += shown_parameter(rest.substr(0, rest.find_first_of("?&#")));
    }
    return shown;
}

}  // namespace

std::string shown_uri(std::string_view uri) {
    if (is_clearly_path(uri)) return std::string(uri);
    if (is_misspelt(uri)) {
        const auto word_end = std::ranges::find_if_not(uri, is_letter) - uri.begin();
        return std::string(uri.substr(0, static_cast<std::size_t>(word_end))).append(hidden);
    }
    const std::string_view scheme = before_slashes(uri);
    if (scheme.size() == uri.size()) return std::string(uri);
    std::string shown(uri.substr(0, scheme.size() + 3));
    uri.remove_prefix(shown.size());
    // The last '@': a password may hold others that should have been escaped.
    const auto at = uri.rfind('@');
    if (at != uri.npos) {
        shown += shown_until(uri.substr(0, at), ":/?#&=;,% \t\r\n");
        shown += '@';
        uri.remove_prefix(at + 1);
    }
    return shown += shown_rest(uri);
}

void check_store_name(std::string_view name) {
    if (!is_misspelt(name)) return;
    throw InvalidError("store '" + shown_uri(name) +
                       "': this looks like the address of a server, but is no URI: write "
                       "postgresql://USER@HOST/DATABASE; a file may be called so if its directory "
                       "stands before it, as in ./NAME");
}

void check_read_model_name(std::string_view name) {
    const bool good = !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
    });
    if (good) return;
    throw InvalidError("read model '" + std::string(name) +
                       "': use letters, digits, '_', '-' and '.' in its name");
}

}  // namespace daybook
