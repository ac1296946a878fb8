#include "engine/postgres/read_model_schemas.hpp"

#include "daybook/core/error.hpp"
#include "daybook/core/fingerprint.hpp"
#include "engine/names.hpp"
#include "engine/postgres/connection_sql.hpp"
#include "engine/postgres/model_move.hpp"

namespace daybook::postgres {

namespace {

// PostgreSQL truncates longer names silently.
constexpr std::size_t name_bytes_max = 63;

// Advisory locks by the schema's name, held until the end of the transaction. Every query and every
// feeder of a model holds the first one shared; `remove` takes it exclusively, so that it does not
// drop the schema while it is in use. The second one admits one feeder at a time.
constexpr std::string_view share_with_users =
    "SELECT pg_advisory_xact_lock_shared(1147237731, hashtext($1))";
constexpr std::string_view exclude_users = "SELECT pg_advisory_xact_lock(1147237731, hashtext($1))";
constexpr std::string_view exclude_other_feeders =
    "SELECT pg_advisory_xact_lock(1147237732, hashtext($1))";
// to_regnamespace alone may answer from the session's catalog cache. Opening a table makes the
// session process the invalidations of other sessions first, so a schema that another process has
// dropped is not taken for one that is there.
constexpr std::string_view schema_exists =
    "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL FROM pg_catalog.pg_namespace LIMIT 1";

/// The name, with its end replaced by a fingerprint if it is too long for PostgreSQL.
std::string shortened(std::string name) {
    if (name.size() <= name_bytes_max) return name;
    constexpr std::size_t fingerprint_bytes = 16;
    const std::string mark = "~" + fingerprint(name).substr(0, fingerprint_bytes);
    std::size_t kept = name_bytes_max - mark.size();
    const auto inside_code_point = [&] {
        return (static_cast<unsigned char>(name[kept]) & 0xC0U) == 0x80U;
    };
    while (kept > 0 && inside_code_point()) --kept;
    return name.substr(0, kept) + mark;
}

std::string quoted_text(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
    return quoted + "'";
}

Settings settings_for(const ConnectionString& connection_string, const std::string& schema,
                      ReadModelUse use) {
    Settings settings{
        {"search_path", quoted_name(schema)},
        // A program may query its read model in any way, so the planner is not restricted.
        {"enable_seqscan", "on"},
        {"enable_bitmapscan", "on"},
        {"jit", "on"},
        // A crash of the server may lose the last commits. The model's checkpoint is lost with
        // them, so their events are applied again.
        {"synchronous_commit", "off"},
    };
    if (use == ReadModelUse::query) {
        // Behind a pooler the settings are made inside each transaction. A default would come too
        // late for it.
        settings.emplace_back(
            connection_string.pooled ? "transaction_read_only" : "default_transaction_read_only",
            "on");
    }
    return settings;
}

class ReadModelSchema final : public ReadModelDatabase {
public:
    ReadModelSchema(const ConnectionString& connection_string, const StoreOptions& options,
                    std::string schema, std::string description, ReadModelUse use)
        : schema_(std::move(schema)),
          description_(std::move(description)),
          use_(use),
          connection_(connection_string, options, settings_for(connection_string, schema_, use)),
          sql_(connection_) {}
    ~ReadModelSchema() override { rollback(); }

    bool exists() {
        Parameters name;
        name.add_text(schema_);
        return connection_.run(schema_exists, name, Format::text).text(0, 0) == "t";
    }
    void create() {
        connection_.script("CREATE SCHEMA IF NOT EXISTS " + quoted_name(schema_) + ";" +
                           describe());
    }

    Sql& sql() override { return sql_; }

    void begin() override {
        const bool query = use_ == ReadModelUse::query;
        connection_.send(query ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                               : connection_.begin_statement());
        connection_.send_settings();
        Parameters name;
        name.add_text(schema_);
        if (!query) connection_.send(exclude_other_feeders, name);
        connection_.send(share_with_users, name);
        try {
            connection_.receive();
            if (exists()) {
                return connection_.guard_transaction([this] {
                    rollback();
                    begin();
                });
            }
        } catch (...) {
            rollback();
            throw;
        }
        rollback();
        throw NotFoundError("read model '" + schema_ + "' is no longer there: open the newer one");
    }

    void commit() override {
        // A query has nothing to commit, even if one of its statements has failed.
        if (use_ == ReadModelUse::query) return connection_.rollback();
        connection_.commit();
    }

    void rollback() noexcept override { connection_.rollback(); }

    void require_own() override {
        const std::string made = made_outside(schema_, sql_);
        if (made.empty()) return;
        throw InvalidError(made +
                           " would stand outside of the read model's own schema: make everything "
                           "without the name of a schema, and nothing that is temporary");
    }

    void finish_build() override {
        // The commits of the build did not wait for the disk. The write-ahead log is written in
        // order, so one commit that waits makes all of them durable; without it a crash could lose
        // the model after the build was reported as finished.
        begin();
        connection_.script("SET LOCAL synchronous_commit TO on;" + describe());
        commit();
        for (const SqlRelation& relation : sql_.relations()) {
            if (relation.kind != SqlRelation::Kind::table) continue;
            connection_.script("ANALYZE " + quoted_name(schema_) + "." +
                               quoted_name(relation.name));
        }
    }

private:
    /// The comment holds the model's full name, which the schema's name may have only a part of.
    std::string describe() const {
        return "COMMENT ON SCHEMA " + quoted_name(schema_) + " IS " + quoted_text(description_);
    }

    const std::string schema_;
    const std::string description_;
    const ReadModelUse use_;
    Connection connection_;
    ConnectionSql sql_;
};

}  // namespace

ReadModelSchemas::ReadModelSchemas(ConnectionString connection_string, StoreOptions options)
    : connection_string_(std::move(connection_string)),
      options_(std::move(options)),
      prefix_(connection_string_.schema + "-rm-"),
      description_("read model of " + quoted_name(connection_string_.schema) + ": ") {}

std::unique_ptr<ReadModelDatabase> ReadModelSchemas::open(std::string_view name, ReadModelUse use) {
    const std::string schema = schema_of(name);
    auto model = std::make_unique<ReadModelSchema>(connection_string_, options_, schema,
                                                   description_ + std::string(name), use);
    if (model->exists()) return model;
    if (use != ReadModelUse::build) {
        throw NotFoundError("read model '" + std::string(name) +
                            "' is not there: run the projection first");
    }
    model->create();
    return model;
}

template <class Work>
auto ReadModelSchemas::with_connection(Work&& work) {
    const MutexLock lock{mutex_};
    if (!connection_ || connection_->broken()) {
        connection_ = std::make_unique<Connection>(connection_string_, options_);
    }
    try {
        return work(*connection_);
    } catch (...) {
        connection_.reset();
        throw;
    }
}

void ReadModelSchemas::remove(std::string_view name) {
    const std::string schema = schema_of(name);
    with_connection([&](Connection& connection) {
        Parameters parameters;
        parameters.add_text(schema);
        if (connection.run(schema_exists, parameters, Format::text).text(0, 0) != "t") return;
        connection.send(connection.begin_statement());
        connection.send_settings();
        Parameters lock;
        lock.add_text(schema);
        connection.send(exclude_users, lock);
        connection.receive();
        connection.script("SET LOCAL client_min_messages TO warning; DROP SCHEMA IF EXISTS " +
                          quoted_name(schema) + " CASCADE");
        connection.run("COMMIT");
    });
}

std::vector<std::string> ReadModelSchemas::list() {
    return with_connection([&](Connection& connection) {
        Parameters parameters;
        parameters.add_text(description_);
        const Result found = connection.run(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace "
            "WHERE starts_with(obj_description(oid, 'pg_namespace'), $1) ORDER BY 1",
            parameters, Format::text);
        std::vector<std::string> names;
        for (int row = 0; row < found.rows(); ++row) {
            names.emplace_back(found.text(row, 0).substr(description_.size()));
        }
        return names;
    });
}

std::vector<std::string> ReadModelSchemas::move_into_store(std::string_view name, Sql& store) {
    return move_model({.from = schema_of(name), .to = connection_string_.schema}, store);
}

void ReadModelSchemas::drop_from_store(const std::vector<std::string>& objects, Sql& store) {
    drop_model(objects, {.from = connection_string_.schema, .to = shortened(prefix_ + "dropped")},
               store);
}

std::string ReadModelSchemas::schema_of(std::string_view name) const {
    check_read_model_name(name);
    return shortened(prefix_ + std::string(name));
}

}  // namespace daybook::postgres
