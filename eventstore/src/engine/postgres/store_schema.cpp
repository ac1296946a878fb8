#include "engine/postgres/store_schema.hpp"

#include "daybook/core/error.hpp"
#include "daybook/schema/migrations.hpp"

namespace daybook::postgres {

namespace {

constexpr std::int64_t not_there = -1;

/// The number of the last migration that the schema has; `not_there` if there is no such schema.
std::int64_t stored_version(Connection& connection) {
    const ConnectionString& connection_string = connection.connection_string();
    Parameters name;
    name.add_text(connection_string.schema);
    const Result found = connection.run(
        "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL, "
        "to_regclass(quote_ident($1) || '.daybook_schema') IS NOT NULL, "
        "EXISTS(SELECT 1 FROM information_schema.tables WHERE table_schema = $1)",
        name, Format::text);
    const auto is = [&](int column) { return found.text(0, column) == "t"; };
    if (!is(0)) return not_there;
    if (is(1)) {
        const Result version = connection.run(
            "SELECT version FROM " + quoted_name(connection_string.schema) + ".daybook_schema");
        if (version.rows() == 1) return version.int8(0, 0);
        throw CorruptError("store '" + connection_string.name +
                           "': its table daybook_schema holds " + std::to_string(version.rows()) +
                           " rows where one belongs, as after a dump without data or a restore "
                           "that is not done: finish the restore, or restore from a backup");
    }
    if (is(2)) {
        throw InvalidError("store '" + connection_string.name + "': schema '" +
                           connection_string.schema +
                           "' holds tables that are not Daybook's: name another with ?schema=");
    }
    return 0;
}

void migrate(Connection& connection, const std::vector<detail::Migration>& steps) {
    const ConnectionString& connection_string = connection.connection_string();
    Parameters lock;
    lock.add_text(connection_string.schema);
    connection.run(connection.begin_statement());
    connection.send_settings();
    connection.send("SELECT pg_advisory_xact_lock(1147237741, hashtext($1))", lock);
    connection.receive();
    const std::int64_t done = stored_version(connection);
    connection.script("CREATE SCHEMA IF NOT EXISTS " + quoted_name(connection_string.schema));
    if (done <= 0) connection.script("CREATE TABLE daybook_schema(version bigint NOT NULL)");
    for (const detail::Migration& step : steps) {
        if (step.number > done) connection.script(step.sql);
    }
    const std::string newest = std::to_string(steps.back().number);
    connection.script("DELETE FROM daybook_schema; INSERT INTO daybook_schema VALUES(" + newest +
                      ")");
    connection.run("COMMIT");
}

}  // namespace

void prepare_store_schema(Connection& connection) {
    const ConnectionString& connection_string = connection.connection_string();
    const auto steps = detail::migrations("postgres");
    const std::int64_t stored = stored_version(connection);
    detail::refuse_newer_schema(connection_string.name, stored, steps.back());
    if (stored == steps.back().number) return;
    if (stored <= 0 && !connection.options().create) {
        throw NotFoundError("store '" + connection_string.name +
                            "' does not exist: there is no store in "
                            "schema '" +
                            connection_string.schema + "': check the name");
    }
    try {
        migrate(connection, steps);
    } catch (...) {
        connection.rollback();
        throw;
    }
}

}  // namespace daybook::postgres
