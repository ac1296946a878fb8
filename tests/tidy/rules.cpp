#include "rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <utility>

#include "source_text.hpp"

namespace tidy {
namespace {

using Names = std::vector<std::string_view>;

// What each folder may include of ours, itself included.
const std::vector<std::pair<std::string_view, Names>>& levels() {
    static const std::vector<std::pair<std::string_view, Names>> table{
        {"core", {"core"}},
        {"schema", {"core", "schema"}},
        {"eventstore", {"core", "schema", "eventstore"}},
        {"projections", {"core", "schema", "eventstore", "projections"}},
        {"messaging", {"core", "schema", "eventstore", "messaging"}},
        {"sagas", {"core", "schema", "eventstore", "messaging", "sagas"}},
    };
    return table;
}

/// A room of `eventstore/`: a folder in `src/` and some of the headers that others see.
struct Room {
    std::string_view name;
    Names below;           ///< the rooms whose headers it may include besides its own
    Names headers;         ///< in `include/daybook/eventstore/`
    Names internals = {};  ///< in `internal/daybook/eventstore/`
};

const std::vector<Room>& rooms() {
    static const std::vector<Room> table{
        {"values",
         {},
         {"append_result.hpp", "event_page.hpp", "event_view.hpp", "guarded_sql.hpp",
          "log_point.hpp", "new_event.hpp", "outgoing_message.hpp", "read_options.hpp", "sql.hpp",
          "store_options.hpp"}},
        {"engine", {"values"}, {"store_uri.hpp"}, {"engine.hpp"}},
        {"engine/sqlite", {"values", "engine"}, {}},
        {"engine/postgres", {"values", "engine"}, {}},
        {"log",
         {"values", "engine", "engine/sqlite", "engine/postgres"},
         {"event_range.hpp", "event_store.hpp", "lease.hpp", "recorded_batch.hpp",
          "subscription.hpp", "transaction.hpp"},
         {"message_tables.hpp", "store_access.hpp", "worker.hpp", "worker_name.hpp"}},
        {"transfer", {"values", "engine", "log"}, {"log_hash.hpp", "migrate.hpp", "mirror.hpp"}},
        {"aggregates",
         {"values", "engine", "log"},
         {"aggregate_root.hpp", "decider.hpp", "fold.hpp", "repository.hpp", "snapshot.hpp",
          "spec.hpp"}},
    };
    return table;
}

/// A third-party header, or a family of them if the name ends in `/`, and where it may stand.
struct Home {
    std::string_view header;
    Names folders;
};

const std::vector<Home>& homes() {
    static const std::vector<Home> table{
        {"SQLiteCpp/", {"eventstore/src/engine/sqlite/"}},
        {"sqlite3.h", {"eventstore/src/engine/sqlite/"}},
        {"libpq-fe.h", {"eventstore/src/engine/postgres/", "apps/cli/late/"}},
        {"boost/", {"messaging/src/"}},
        {"openssl/", {"core/src/", "apps/cli/late/"}},
        {"CLI/", {"apps/cli/"}},
        {"simdjson.h", {"schema/src/"}},
        {"nlohmann/",
         {"schema/", "eventstore/", "projections/", "messaging/", "sagas/", "apps/", "examples/",
          "include/"}},
        {"doctest/", {"examples/"}},
        {"benchmark/", {}},
        {"rapidcheck", {}},
    };
    return table;
}

std::string_view folder_of(std::string_view path) { return path.substr(0, path.find('/')); }

const Names* level_of(std::string_view path) {
    const auto found =
        std::ranges::find(levels(), folder_of(path), [](const auto& entry) { return entry.first; });
    return found == levels().end() ? nullptr : &found->second;
}

bool is_library(std::string_view path) { return level_of(path) != nullptr; }
bool is_header(std::string_view path) { return path.ends_with(".hpp") || path.ends_with(".h"); }
bool is_cpp(std::string_view path) { return is_header(path) || path.ends_with(".cpp"); }

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
    return std::ranges::find(range, value) != std::ranges::end(range);
}

// The part of a path that a quoted include may not leave: a library, an app, or an example.
std::string root_of(std::string_view path) {
    auto end = path.find('/');
    if (path.starts_with("apps/") || path.starts_with("examples/")) {
        const auto second = path.find('/', end + 1);
        if (second != std::string_view::npos) end = second;
    }
    return std::string{path.substr(0, end)} + "/";
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Places of `word` in `line` where it is not a part of a longer word.
bool has_word(std::string_view line, std::string_view word) {
    for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
        const auto after = at + word.size();
        const bool starts = at == 0 || !is_word(line[at - 1]);
        if (starts && (after >= line.size() || !is_word(line[after]))) return true;
    }
    return false;
}

// `exit(`, but not `on_exit(` and not `saga.exit(`; `std::exit(` and `::exit(` do count.
bool calls(std::string_view line, std::string_view function) {
    for (auto at = line.find(function); at != std::string_view::npos;
         at = line.find(function, at + 1)) {
        const auto after = line.find_first_not_of(' ', at + function.size());
        if (after == std::string_view::npos || line[after] != '(') continue;
        const auto before = line.substr(0, at);
        if (before.ends_with('.') || before.ends_with("->")) continue;
        if (at == 0 || !is_word(before.back())) return true;
    }
    return false;
}

constexpr std::string_view rooms_sources = "eventstore/src/";
constexpr std::string_view rooms_internals = "eventstore/internal/";
constexpr std::string_view rooms_headers = "daybook/eventstore/";
constexpr std::string_view rooms_umbrella = "eventstore.hpp";
constexpr std::string_view mutex_header = "daybook/core/mutex.hpp";
constexpr std::string_view core_internals = "core/internal/";

/// The room of a source by its path below `src/`, of a header by its name; or none.
const Room* room_of_source(std::string_view path) {
    const Room* found = nullptr;
    for (const Room& room : rooms()) {
        const bool within = path.starts_with(std::string{room.name} + "/");
        if (within && (found == nullptr || found->name.size() < room.name.size())) found = &room;
    }
    return found;
}
const Room* room_of_header(std::string_view name) {
    const auto found = std::ranges::find_if(rooms(), [&](const Room& room) {
        return contains(room.headers, name) || contains(room.internals, name);
    });
    return found == rooms().end() ? nullptr : &*found;
}

bool is_internal(std::string_view header) {
    if (header == mutex_header || header == "daybook/schema/migrations.hpp") return true;
    return header.starts_with(rooms_headers) && std::ranges::any_of(rooms(), [&](const Room& room) {
               return contains(room.internals, header.substr(rooms_headers.size()));
           });
}

void append(Findings& all, Findings more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

// The name by which `#include <...>` reaches a public header: what follows the `include/` folder.
std::string_view public_name(std::string_view path) {
    static constexpr std::string_view mark = "include/daybook/";
    const auto at = path.find(mark);
    if (at == std::string_view::npos || (at != 0 && path[at - 1] != '/')) return {};
    return path.substr(at + std::string_view{"include/"}.size());
}

// All public headers that `name` reaches, itself included.
std::set<std::string> reached_from(const std::string& name,
                                   const std::map<std::string, std::string>& path_by_name,
                                   const Tree& tree) {
    std::set<std::string> reached;
    std::vector<std::string> open{name};
    while (!open.empty()) {
        const auto next = std::move(open.back());
        open.pop_back();
        const auto path = path_by_name.find(next);
        if (path == path_by_name.end() || !reached.insert(next).second) continue;
        for (const auto& include : includes_of(tree.find(path->second)->second))
            open.emplace_back(include.name);
    }
    return reached;
}

}  // namespace

Findings check_levels(std::string_view path, std::string_view text) {
    Findings findings;
    const auto* allowed = level_of(path);
    const bool outside = path.starts_with("examples/") || path.starts_with("apps/");
    if (allowed == nullptr && !outside) return findings;
    for (const auto& include : includes_of(text)) {
        const std::string name{include.name};
        const bool ours = name.starts_with("daybook/");
        if (include.quoted && !ours) {
            const auto target = std::filesystem::path{path}.parent_path() / name;
            if (!target.lexically_normal().generic_string().starts_with(root_of(path)))
                findings.push_back({std::string{path}, include.line, name + " leaves the folder"});
            continue;
        }
        if (allowed == nullptr || !ours) continue;
        const auto folder = folder_of(std::string_view{name}.substr(8));
        if (!contains(*allowed, folder))
            findings.push_back({std::string{path}, include.line, name + " does not stand below"});
    }
    return findings;
}

Findings check_rooms(std::string_view path, std::string_view text) {
    const std::string_view header =
        path.starts_with(rooms_internals) ? path.substr(rooms_internals.size()) : public_name(path);
    const bool is_source = path.starts_with(rooms_sources);
    if (!is_source && !header.starts_with(rooms_headers)) return {};
    const std::string_view name = header.empty() ? header : header.substr(rooms_headers.size());
    if (name == rooms_umbrella) return {};
    const Room* const own =
        is_source ? room_of_source(path.substr(rooms_sources.size())) : room_of_header(name);
    if (own == nullptr) return {{std::string{path}, 0, "stands in no room of eventstore"}};
    Findings findings;
    for (const auto& include : includes_of(text)) {
        const std::string_view target = include.name;
        const bool is_header = target.starts_with(rooms_headers);
        if (!include.quoted && !is_header) continue;
        if (!is_header && target.starts_with("daybook/")) continue;
        const Room* const room = is_header ? room_of_header(target.substr(rooms_headers.size()))
                                           : room_of_source(target);
        if (room != own && (room == nullptr || !contains(own->below, room->name))) {
            findings.push_back(
                {std::string{path}, include.line,
                 std::string{target} + " stands in no room below " + std::string{own->name}});
        }
    }
    return findings;
}

Findings check_internals(std::string_view path, std::string_view text) {
    const bool in_library = is_library(path) && public_name(path).empty();
    if (in_library || path.starts_with("tests/")) return {};
    Findings findings;
    for (const auto& include : includes_of(text)) {
        if (!is_internal(include.name)) continue;
        findings.push_back({std::string{path}, include.line,
                            std::string{include.name} + " is for sources of the libraries only"});
    }
    return findings;
}

Findings check_third_party(std::string_view path, std::string_view text) {
    Findings findings;
    if (path.starts_with("tests/") || path.starts_with("benchmarks/")) return findings;
    for (const auto& include : includes_of(text)) {
        for (const auto& [header, folders] : homes()) {
            const bool meant = include.name == header ||
                               (!header.ends_with(".h") && include.name.starts_with(header));
            if (!meant) continue;
            const bool home =
                std::ranges::any_of(folders, [&](auto folder) { return path.starts_with(folder); });
            if (!home) {
                findings.push_back({std::string{path}, include.line,
                                    std::string{include.name} + " has its home elsewhere"});
            }
        }
    }
    return findings;
}

Findings check_columns(std::string_view path, std::string_view text) {
    Findings findings;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto columns = columns_of(lines[i]);
        if (columns > columns_max)
            findings.push_back({std::string{path}, i + 1, std::to_string(columns) + " columns"});
    }
    return findings;
}

Findings check_function_lines(std::string_view path, std::string_view text) {
    Findings findings;
    for (const auto& function : functions_of(text)) {
        const auto lines = function.last_line - function.first_line + 1;
        if (lines > function_lines_max) {
            findings.push_back({std::string{path}, function.first_line,
                                function.name + " has " + std::to_string(lines) + " lines"});
        }
    }
    return findings;
}

Findings check_file_lines(std::string_view path, std::string_view text) {
    const auto lines = lines_of(text).size();
    if (lines <= file_lines_max) return {};
    return {{std::string{path}, 0, std::to_string(lines) + " lines"}};
}

Findings check_leftovers(std::string_view path, std::string_view text) {
    // Written in two parts, because this file is read too.
    static const std::array<std::string, 4> words{
        std::string{"TO"} + "DO", std::string{"FIX"} + "ME", std::string{"XX"} + "X",
        std::string{"HA"} + "CK"};
    Findings findings;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i)
        for (const auto& word : words)
            if (has_word(lines[i], word)) findings.push_back({std::string{path}, i + 1, word});
    return findings;
}

Findings check_manners(std::string_view path, std::string_view text) {
    static constexpr std::array<std::string_view, 3> streams{"cout", "cerr", "clog"};
    static constexpr std::array<std::string_view, 9> functions{
        "printf", "fprintf", "puts", "putchar", "perror", "exit", "_exit", "_Exit", "quick_exit"};
    Findings findings;
    if (!is_library(path)) return findings;
    const auto code = without_comments_and_literals(text);
    const auto lines = lines_of(code);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        for (const auto word : streams)
            if (has_word(lines[i], word))
                findings.push_back({std::string{path}, i + 1, std::string{word}});
        for (const auto word : functions)
            if (calls(lines[i], word))
                findings.push_back({std::string{path}, i + 1, std::string{word} + "()"});
    }
    return findings;
}

Findings check_mutexes(std::string_view path, std::string_view text) {
    static constexpr std::array<std::string_view, 8> types{"std::mutex",
                                                           "std::recursive_mutex",
                                                           "std::timed_mutex",
                                                           "std::shared_mutex",
                                                           "std::recursive_timed_mutex",
                                                           "std::shared_timed_mutex",
                                                           "std::condition_variable",
                                                           "std::condition_variable_any"};
    Findings findings;
    const bool is_home = path.starts_with(core_internals) && path.ends_with(mutex_header);
    if (!is_library(path) || is_home) return findings;
    const auto code = without_comments_and_literals(text);
    const auto lines = lines_of(code);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        for (const auto type : types)
            if (has_word(lines[i], type))
                findings.push_back({std::string{path}, i + 1, std::string{type}});
    }
    return findings;
}

Findings check_pragma_once(std::string_view path, std::string_view text) {
    if (!is_header(path)) return {};
    const auto code = without_comments_and_literals(text);
    const auto first = code.find_first_not_of(" \n");
    if (first != std::string::npos && code.substr(first).starts_with("#pragma once")) return {};
    return {{std::string{path}, 1, "does not begin with #pragma once"}};
}

Findings check_umbrellas(const Tree& tree) {
    std::map<std::string, std::string> path_by_name;
    for (const auto& [path, text] : tree)
        if (is_header(path) && !public_name(path).empty())
            path_by_name.emplace(public_name(path), path);

    Findings findings;
    const std::string top = "daybook/daybook.hpp";
    const auto reached_from_top = reached_from(top, path_by_name, tree);
    std::map<std::string, std::set<std::string>> reached_by_folder;
    for (const auto& [name, path] : path_by_name) {
        if (name == top || name.find("/detail/") != std::string::npos) continue;
        const std::string folder{folder_of(std::string_view{name}.substr(8))};
        auto umbrella = "daybook/" + folder;
        umbrella += "/" + folder + ".hpp";
        const auto [entry, fresh] = reached_by_folder.try_emplace(folder);
        if (fresh) {
            entry->second = reached_from(umbrella, path_by_name, tree);
            // Apps are not in daybook.hpp, and a tree that has none yet is no fault.
            if (is_library(path) && !reached_from_top.empty() &&
                !reached_from_top.contains(umbrella))
                findings.push_back({path, 0, umbrella + " is not in daybook/daybook.hpp"});
        }
        if (!entry->second.contains(name)) findings.push_back({path, 0, "is not in " + umbrella});
    }
    return findings;
}

Findings check_sql_places(const Tree& tree) {
    Findings findings;
    for (const auto& [path, text] : tree) {
        if (!path.ends_with(".sql") || !is_library(path)) continue;
        const bool has_depth = std::ranges::count(path, '/') == 5;
        if (!path.starts_with("schema/sql/") || !has_depth) {
            findings.push_back({path, 0,
                                "is not embedded; its place is "
                                "schema/sql/<engine>/NNNN_what/<kind>/<object>.sql"});
        }
    }
    return findings;
}

Findings check_sql_objects(std::string_view path, std::string_view text) {
    static const std::regex object{"^CREATE (UNLOGGED )?(TABLE|TYPE|FUNCTION|VIEW|SEQUENCE) "};
    if (!path.ends_with(".sql") || !is_library(path)) return {};
    Findings findings;
    std::size_t objects = 0;
    std::size_t number = 0;
    for (const std::string_view line : lines_of(text)) {
        ++number;
        if (!std::regex_search(line.begin(), line.end(), object) || ++objects == 1) continue;
        findings.push_back({std::string{path}, number, "a second object: give it its own file"});
    }
    return findings;
}

Findings check_sql_parameters(std::string_view path, std::string_view text) {
    if (!path.ends_with(".sql") || !is_library(path)) return {};
    const auto function = text.find("CREATE FUNCTION ");
    if (function == std::string_view::npos) return {};
    const auto first = text.find('(', function) + 1;
    std::size_t parameters = 0;
    std::size_t start = first;
    int depth = 0;
    for (auto at = first; at < text.size() && depth >= 0; ++at) {
        depth += (text[at] == '(') - (text[at] == ')');
        if (depth >= 0 && (depth != 0 || text[at] != ',')) continue;
        const auto parameter = text.substr(start, at - start);
        const auto word = parameter.find_first_not_of(" \n");
        if (word != std::string_view::npos && !parameter.substr(word).starts_with("OUT "))
            ++parameters;
        start = at + 1;
    }
    if (parameters <= sql_parameters_max) return {};
    return {{std::string{path}, 0,
             "a function of " + std::to_string(parameters) +
                 " parameters: put those that belong together into a row type"}};
}

Findings check_all(const Tree& tree) {
    Findings all;
    for (const auto& [path, text] : tree) {
        append(all, check_columns(path, text));
        append(all, check_file_lines(path, text));
        append(all, check_leftovers(path, text));
        append(all, check_sql_objects(path, text));
        append(all, check_sql_parameters(path, text));
        if (!is_cpp(path)) continue;
        append(all, check_levels(path, text));
        append(all, check_rooms(path, text));
        append(all, check_internals(path, text));
        append(all, check_third_party(path, text));
        append(all, check_function_lines(path, text));
        append(all, check_manners(path, text));
        append(all, check_mutexes(path, text));
        append(all, check_pragma_once(path, text));
    }
    append(all, check_umbrellas(tree));
    append(all, check_sql_places(tree));
    return all;
}

}  // namespace tidy
