#include "registry.hpp"

#include <algorithm>
#include <set>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "statements.hpp"

namespace daybook::detail {

namespace {

Lifecycle parse_lifecycle(std::string_view text) {
    return text == to_string(Lifecycle::inline_) ? Lifecycle::inline_ : Lifecycle::async;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::string join_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        if (!text.empty()) text += '\n';
        text += line;
    }
    return text;
}

Registered read_registered(const SqlRow& row) {
    Registered registered;
    registered.name = row.text(0);
    registered.lifecycle = parse_lifecycle(row.text(1));
    registered.version = static_cast<int>(row.integer(2));
    registered.fingerprint = row.text(3);
    registered.build = row.integer(4);
    registered.last_build = row.integer(5);
    registered.epoch = row.integer(6);
    registered.relations = split_lines(row.text(7));
    registered.halted = row.integer(8) != 0;
    registered.last_error = row.text(9);
    registered.store = row.id(10);
    return registered;
}

Unfinished read_unfinished(const SqlRow& row) {
    Unfinished unfinished;
    unfinished.name = row.text(0);
    unfinished.lifecycle = parse_lifecycle(row.text(1));
    unfinished.version = static_cast<int>(row.integer(2));
    unfinished.fingerprint = row.text(3);
    unfinished.build = row.integer(4);
    unfinished.owner = row.text(5);
    unfinished.epoch = row.integer(6);
    unfinished.position = row.position(7);
    unfinished.target = row.position(8);
    unfinished.started_at = row.timestamp(9);
    unfinished.updated_at = row.timestamp(10);
    unfinished.error = row.text(11);
    return unfinished;
}

template <class T, class... Args>
std::vector<T> read_rows(Sql& sql, T (*read)(const SqlRow&), std::string_view statement,
                         const Args&... args) {
    std::vector<T> rows;
    sql.each(statement, [&](const SqlRow& row) { rows.push_back(read(row)); }, args...);
    return rows;
}

template <class T>
std::optional<T> only(std::vector<T> rows) {
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

/// The projection's name in `<name>.v<version>.b<build>`; empty if it is not of that form.
std::string_view projection_of(std::string_view database) {
    const auto cut_number = [&](std::string_view mark) {
        const auto end = database.find_last_not_of("0123456789");
        if (end == std::string_view::npos || end + 1 == database.size()) return false;
        database = database.substr(0, end + 1);
        if (!database.ends_with(mark)) return false;
        database.remove_suffix(mark.size());
        return true;
    };
    return cut_number(".b") && cut_number(".v") ? database : std::string_view{};
}

std::string database_name(std::string_view name, int version, std::int64_t build) {
    return std::string(name) + ".v" + std::to_string(version) + ".b" + std::to_string(build);
}

}  // namespace

Standing compare(const Registered& registered, const Wanted& wanted) {
    if (registered.version > wanted.shape.version) return Standing::superseded;
    const bool same = registered.version == wanted.shape.version &&
                      registered.fingerprint == wanted.fingerprint &&
                      registered.lifecycle == wanted.lifecycle;
    return same ? Standing::current : Standing::outdated;
}

std::string difference(const Registered& registered, const Wanted& wanted) {
    if (registered.version != wanted.shape.version) {
        return "its model was made by version " + std::to_string(registered.version) +
               " of the definition, and this program has version " +
               std::to_string(wanted.shape.version);
    }
    if (registered.lifecycle != wanted.lifecycle) {
        return "its model is " + std::string(to_string(registered.lifecycle)) +
               ", and this program wants it " + std::string(to_string(wanted.lifecycle));
    }
    return "its model was made by a definition of the same version with another schema, other "
           "events or other upcasters";
}

std::string definition_fingerprint(const EventStore& store, const ProjectionShape& shape) {
    const auto& catalog = store.options().catalog;
    if (!catalog || !catalog->has_upcasters()) return shape.fingerprint();
    std::set<std::string> events;
    for (const std::string& event : shape.events) {
        for (std::string& source : catalog->sources_of(event)) events.insert(std::move(source));
    }
    ProjectionShape read = shape;
    read.events.assign(events.begin(), events.end());
    return read.fingerprint();
}

std::string first_database_name(const ProjectionShape& shape) {
    return database_name(shape.name, shape.version, 1);
}

std::string database_name(const Registered& model) {
    return database_name(model.name, model.version, model.build);
}

std::string database_name(const Unfinished& build) {
    return database_name(build.name, build.version, build.build);
}

std::optional<Registered> Registry::find(std::string_view name) {
    return only(read_rows(sql_, read_registered, statements::find_projection, name));
}

std::vector<Registered> Registry::list() {
    return read_rows(sql_, read_registered, statements::list_projections);
}

void Registry::insert(const Wanted& wanted, const std::vector<std::string>& relations) {
    sql_.exec(statements::insert_projection, wanted.shape.name, to_string(wanted.lifecycle),
              wanted.shape.version, wanted.fingerprint, join_lines(relations), clock_.now());
}

void Registry::set_standing(const Registered& registered, bool halted, std::string_view error) {
    sql_.exec(statements::set_standing, halted, error, clock_.now(), registered.name,
              registered.build);
}

std::optional<Unfinished> Registry::find_rebuild(std::string_view name) {
    return only(read_rows(sql_, read_unfinished, statements::find_rebuild, name));
}

std::vector<Unfinished> Registry::list_rebuilds() {
    return read_rows(sql_, read_unfinished, statements::list_rebuilds);
}

void Registry::claim(const Unfinished& claim) {
    const auto registered = find(claim.name);
    const std::int64_t last = std::max(registered ? registered->last_build : 0, claim.build);
    sql_.exec(statements::number_claim, claim.epoch, last, clock_.now(), claim.name);
    sql_.exec(statements::claim_rebuild, claim.name, to_string(claim.lifecycle), claim.version,
              claim.fingerprint, claim.build, claim.owner, claim.epoch, claim.position,
              claim.target, claim.started_at, clock_.now());
}

bool Registry::is_ours(const Unfinished& claim) {
    return sql_.integer(statements::rebuild_is_ours, claim.name, claim.epoch, claim.owner)
        .has_value();
}

bool Registry::report(const Unfinished& claim, Position position, Position target) {
    return sql_.exec(statements::rebuild_alive, position, target, clock_.now(), claim.name,
                     claim.epoch) == 1;
}

void Registry::leave(const Unfinished& claim, std::string_view error) {
    sql_.exec(statements::leave_rebuild, error, clock_.now(), claim.name, claim.epoch);
}

void Registry::put_in_service(const Unfinished& claim, const std::vector<std::string>& relations) {
    sql_.exec(statements::put_in_service, to_string(claim.lifecycle), claim.version,
              claim.fingerprint, claim.build, join_lines(relations), clock_.now(), claim.name,
              claim.epoch);
    sql_.exec(statements::delete_rebuild, claim.name);
}

void remove_leftover(const EventStore& store, const std::string& database) noexcept {
    try {
        try {
            engine_of(store).read_models().remove(database);
        } catch (const std::exception& error) {
            store.log(LogLevel::warning, "read model '" + database +
                                             "' is of no use any more and could not be removed, "
                                             "which is tried again later: " +
                                             error.what());
        }
    } catch (...) {
        // Not even that could be said.
    }
}

void remove_orphans(const EventStore& store) {
    ReadModelDatabases& databases = engine_of(store).read_models();
    // The files first: a build is entered in the registry before its file is made, and no number is
    // given twice, so what stood on the disk and is not in the registry now is nobody's.
    const std::vector<std::string> found = databases.list();
    if (found.empty()) return;
    std::set<std::string, std::less<>> names;
    std::set<std::string, std::less<>> wanted;
    query_store(store, [&](Sql& sql) {
        Registry registry{sql};
        for (const Registered& row : registry.list()) {
            names.insert(row.name);
            if (row.lifecycle == Lifecycle::async) {
                wanted.insert(database_name(row));
            }
        }
        for (const Unfinished& row : registry.list_rebuilds()) {
            wanted.insert(database_name(row));
        }
    });
    for (const std::string& database : found) {
        if (names.contains(projection_of(database)) && !wanted.contains(database)) {
            remove_leftover(store, database);
        }
    }
}

}  // namespace daybook::detail
