#include "postgres_server.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string_view>

#include <libpq-fe.h>

namespace daybook::test {
namespace {

constexpr std::string_view deadlock_detected = "40P01";

std::string random_name() {
    std::random_device random;
    char text[32];
    std::snprintf(text, sizeof text, "t_%08x%08x", random(), random());
    return text;
}

}  // namespace

std::string postgres_uri() {
    if (const char* given = std::getenv("DAYBOOK_TEST_POSTGRES")) return given;
    std::string uri;
    if (!std::getline(std::ifstream{CLUSTER_DIRECTORY "/uri"}, uri)) {
        throw std::runtime_error(
            "no PostgreSQL to test on. ctest starts one for its tests; by hand:\n"
            "    " CLUSTER_SCRIPT " start " CLUSTER_DIRECTORY
            "\nand `stop` instead of `start` "
            "at the end. Or name a scratch database in DAYBOOK_TEST_POSTGRES.");
    }
    return uri;
}

PostgresConnection::PostgresConnection(const std::string& uri)
    : connection_(PQconnectdb(uri.c_str())) {
    if (PQstatus(connection_) == CONNECTION_OK) return;
    const std::string reason = PQerrorMessage(connection_);
    PQfinish(connection_);
    throw std::runtime_error("cannot connect to " + uri + ": " + reason);
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

PostgresConnection::Rows PostgresConnection::query(const std::string& statements) {
    // Within a transaction that was open before, only a part of it could be run again.
    const bool can_repeat = PQtransactionStatus(connection_) == PQTRANS_IDLE;
    std::unique_ptr<PGresult, decltype(&PQclear)> result{nullptr, &PQclear};
    for (int attempt = 1; attempt <= 10; ++attempt) {
        result.reset(PQexec(connection_, statements.c_str()));
        const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        if (!can_repeat || state == nullptr || std::string_view{state} != deadlock_detected) break;
        PQclear(PQexec(connection_, "ROLLBACK"));
    }
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        throw std::runtime_error(statements + ": " + PQerrorMessage(connection_));
    }
    Rows rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        auto& fields = rows.emplace_back();
        for (int column = 0; column < PQnfields(result.get()); ++column) {
            fields.emplace_back(PQgetvalue(result.get(), row, column));
        }
    }
    return rows;
}

int PostgresConnection::backend() const { return PQbackendPID(connection_); }

PostgresSchema::PostgresSchema(std::string server)
    : server_(std::move(server)), name_(random_name()) {}

PostgresSchema::~PostgresSchema() {
    try {
        PostgresConnection connection{server_};
        // A client that was killed may hold its locks for a moment.
        connection.query("SET client_min_messages = warning; SET lock_timeout = '10s'");
        const std::string models = name_ + "-rm-";
        for (const auto& row :
             connection.query("SELECT quote_ident(nspname) FROM pg_namespace "
                              "WHERE nspname = '" +
                              name_ + "' OR starts_with(nspname, '" + models + "')")) {
            connection.query("DROP SCHEMA " + row.at(0) + " CASCADE");
        }
    } catch (const std::exception& error) {
        // The schema is removed together with the cluster.
        std::fprintf(stderr, "schema %s stays: %s\n", name_.c_str(), error.what());
    }
}

bool PostgresSchema::exists() const {
    PostgresConnection connection{server_};
    return !connection.query("SELECT 1 FROM pg_namespace WHERE nspname = '" + name_ + "'").empty();
}

std::string PostgresSchema::uri() const {
    const char* const joint = server_.find('?') == std::string::npos ? "?" : "&";
    return server_ + joint + "schema=" + name_;
}

}  // namespace daybook::test
