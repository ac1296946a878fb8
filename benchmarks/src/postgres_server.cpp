#include "postgres_server.hpp"

#include <memory>
#include <stdexcept>

#include <libpq-fe.h>
#include <unistd.h>

namespace bench {

namespace {

struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

Connection connect(const std::string& uri) {
    Connection connection{PQconnectdb(uri.c_str())};
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    return connection;
}

std::string query_value(PGconn* connection, const std::string& sql) {
    const std::unique_ptr<PGresult, Finish> result{PQexec(connection, sql.c_str())};
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection));
    return PQntuples(result.get()) == 0 ? "" : PQgetvalue(result.get(), 0, 0);
}

}  // namespace

PostgresServer::PostgresServer(std::string uri)
    : uri_(std::move(uri)), prefix_("daybook-bench-" + std::to_string(getpid()) + "-") {
    const auto connection = connect(uri_);
    for (const char* const setting : {"fsync", "synchronous_commit"}) {
        const auto value = query_value(connection.get(), std::string("SHOW ") + setting);
        if (value != "on")
            throw std::runtime_error("the server has " + std::string(setting) + "=" + value +
                                     "; name one with --postgres that is durable");
    }
}

PostgresServer::~PostgresServer() {
    try {
        const auto connection = connect(uri_);
        const std::string next =
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE starts_with(nspname, '" + prefix_ +
            "') LIMIT 1";
        for (std::string name; !(name = query_value(connection.get(), next)).empty();)
            PQclear(PQexec(connection.get(), ("DROP SCHEMA " + name + " CASCADE").c_str()));
    } catch (const std::exception&) {
        // The server cannot be reached: its schemas stay.
    }
}

std::string PostgresServer::store_uri(const std::string& name) const {
    return uri_ + (uri_.find('?') == std::string::npos ? '?' : '&') + "schema=" + schema(name);
}

}  // namespace bench
