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

ProjectionRow read_projection_row(const SqlRow& from) {
    ProjectionRow row;
    row.name = from.text(0);
    row.lifecycle = parse_lifecycle(from.text(1));
    row.version = static_cast<int>(from.integer(2));
    row.fingerprint = from.text(3);
    row.build = from.integer(4);
    row.last_build = from.integer(5);
    row.relations = split_lines(from.text(6));
    row.halted = from.integer(7) != 0;
    row.last_error = from.text(8);
    row.store = from.id(9);
    return row;
}

RebuildRow read_rebuild_row(const SqlRow& from) {
    RebuildRow row;
    row.name = from.text(0);
    row.lifecycle = parse_lifecycle(from.text(1));
    row.version = static_cast<int>(from.integer(2));
    row.fingerprint = from.text(3);
    row.build = from.integer(4);
    row.owner = from.text(5);
    row.position = from.position(6);
    row.target = from.position(7);
    row.started_at = from.timestamp(8);
    row.updated_at = from.timestamp(9);
    row.error = from.text(10);
    return row;
}

template <class T, class... Args>
std::vector<T> read_rows(Sql& sql, T (*read)(const SqlRow&), std::string_view statement,
                         const Args&... args) {
    std::vector<T> rows;
    sql.each(statement, [&](const SqlRow& row) { rows.push_back(read(row)); }, args...);
    return rows;
}

template <class T>
std::optional<T> first_row(std::vector<T> rows) {
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

/// The projection's name in `<name>.v<version>.b<build>`; empty if it is not of that form.
std::string_view projection_name_of(std::string_view database) {
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

DefinitionMatch compare(const ProjectionRow& row, const DefinedProjection& defined) {
    if (row.version > defined.shape.version) return DefinitionMatch::superseded;
    const bool same = row.version == defined.shape.version &&
                      row.fingerprint == defined.fingerprint && row.lifecycle == defined.lifecycle;
    return same ? DefinitionMatch::current : DefinitionMatch::outdated;
}

std::string difference(const ProjectionRow& row, const DefinedProjection& defined) {
    if (row.version != defined.shape.version) {
        return "its model was made by version " + std::to_string(row.version) +
               " of the definition, and this program has version " +
               std::to_string(defined.shape.version);
    }
    if (row.lifecycle != defined.lifecycle) {
        return "its model is " + std::string(to_string(row.lifecycle)) +
               ", and this program wants it " + std::string(to_string(defined.lifecycle));
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

std::string database_name(const ProjectionRow& model) {
    return database_name(model.name, model.version, model.build);
}

std::string database_name(const RebuildRow& build) {
    return database_name(build.name, build.version, build.build);
}

std::optional<ProjectionRow> Registry::find(std::string_view name) {
    return first_row(read_rows(sql_, read_projection_row, statements::find_projection, name));
}

std::vector<ProjectionRow> Registry::list() {
    return read_rows(sql_, read_projection_row, statements::list_projections);
}

void Registry::insert(const DefinedProjection& defined, const std::vector<std::string>& relations) {
    sql_.exec(statements::insert_projection, defined.shape.name, to_string(defined.lifecycle),
              defined.shape.version, defined.fingerprint, join_lines(relations), clock_.now());
}

void Registry::set_halted(const ProjectionRow& row, bool halted, std::string_view error) {
    sql_.exec(statements::set_halted, halted, error, clock_.now(), row.name, row.build);
}

std::optional<RebuildRow> Registry::find_rebuild(std::string_view name) {
    return first_row(read_rows(sql_, read_rebuild_row, statements::find_rebuild, name));
}

std::vector<RebuildRow> Registry::list_rebuilds() {
    return read_rows(sql_, read_rebuild_row, statements::list_rebuilds);
}

void Registry::claim(const RebuildRow& claim) {
    const auto row = find(claim.name);
    const std::int64_t last = std::max(row ? row->last_build : 0, claim.build);
    sql_.exec(statements::reserve_build, last, clock_.now(), claim.name);
    sql_.exec(statements::claim_rebuild, claim.name, to_string(claim.lifecycle), claim.version,
              claim.fingerprint, claim.build, claim.position, claim.target, claim.started_at,
              clock_.now());
}

void Registry::record_progress(std::string_view name, Position position, Position target) {
    sql_.exec(statements::record_progress, position, target, clock_.now(), name);
}

void Registry::record_error(std::string_view name, std::string_view error) {
    sql_.exec(statements::record_rebuild_error, error, clock_.now(), name);
}

void Registry::switch_over(const RebuildRow& claim, const std::vector<std::string>& relations) {
    sql_.exec(statements::switch_over, to_string(claim.lifecycle), claim.version, claim.fingerprint,
              claim.build, join_lines(relations), clock_.now(), claim.name);
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
        // The log callback has thrown as well: there is nowhere left to report to.
    }
}

void remove_orphans(const EventStore& store) {
    ReadModelDatabases& databases = engine_of(store).read_models();
    // List the databases before reading the registry. A build gets its row before its database,
    // and no build number is given twice, so a database that is in this list but not in the
    // registry is used by no process. In the other order, a build that another process starts in
    // between would be removed while it is written.
    const std::vector<std::string> found = databases.list();
    if (found.empty()) return;
    std::set<std::string, std::less<>> names;
    std::set<std::string, std::less<>> in_use;
    query_store(store, [&](Sql& sql) {
        Registry registry{sql};
        for (const ProjectionRow& row : registry.list()) {
            names.insert(row.name);
            if (row.lifecycle == Lifecycle::async) {
                in_use.insert(database_name(row));
            }
        }
        for (const RebuildRow& row : registry.list_rebuilds()) {
            in_use.insert(database_name(row));
        }
    });
    for (const std::string& database : found) {
        if (names.contains(projection_name_of(database)) && !in_use.contains(database)) {
            remove_leftover(store, database);
        }
    }
}

}  // namespace daybook::detail
