#include "postgres/read_model_schemas.hpp"

#include "daybook/core/error.hpp"
#include "postgres/connection_sql.hpp"
#include "read_model_name.hpp"

namespace daybook::postgres {

namespace {

// PostgreSQL cuts longer names off without a word.
constexpr std::size_t schema_bytes_max = 63;

// Locks of a transaction, by the schema's name: whoever looks at a model or feeds it shares one
// with the others, so that it is not removed under their feet; of those who feed it, there is one
// at a time.
constexpr std::string_view share_use =
    "SELECT pg_advisory_xact_lock_shared(1147237731, hashtext($1))";
constexpr std::string_view end_use = "SELECT pg_advisory_xact_lock(1147237731, hashtext($1))";
constexpr std::string_view feed_alone = "SELECT pg_advisory_xact_lock(1147237732, hashtext($1))";
// The table is named because a statement that names one learns what others have dropped until now;
// the names alone may come from what the session remembers.
constexpr std::string_view is_there =
    "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL FROM pg_catalog.pg_namespace LIMIT 1";

Connection::Settings settings_for(const Place& place, const std::string& schema, ReadModelUse use) {
    Connection::Settings settings{
        {"search_path", quoted_name(schema)},
        // A read model is read in whatever way its program likes.
        {"enable_seqscan", "on"},
        {"enable_bitmapscan", "on"},
        {"jit", "on"},
        // A lost tail is applied again from the model's own checkpoint.
        {"synchronous_commit", "off"},
    };
    if (use == ReadModelUse::query) {
        // Behind a pooler the settings are made in each transaction, which has begun by then.
        settings.emplace_back(
            place.pooled ? "transaction_read_only" : "default_transaction_read_only", "on");
    }
    return settings;
}

class ReadModelSchema final : public ReadModelDatabase {
public:
    ReadModelSchema(const Place& place, const EngineOptions& options, std::string schema,
                    ReadModelUse use)
        : schema_(std::move(schema)),
          use_(use),
          connection_(place, options, settings_for(place, schema_, use)),
          sql_(connection_) {}
    ~ReadModelSchema() override { rollback(); }

    bool exists() {
        Parameters name;
        name.add_text(schema_);
        return connection_.run(is_there, name, Format::text).text(0, 0) == "t";
    }
    void create() { connection_.run("CREATE SCHEMA IF NOT EXISTS " + quoted_name(schema_)); }

    Sql& sql() override { return sql_; }

    void begin() override {
        const bool query = use_ == ReadModelUse::query;
        connection_.send(query ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN");
        connection_.send_settings();
        Parameters name;
        name.add_text(schema_);
        if (!query) connection_.send(feed_alone, name);
        connection_.send(share_use, name);
        try {
            connection_.receive();
            if (exists()) return;
        } catch (...) {
            rollback();
            throw;
        }
        rollback();
        throw NotFoundError("read model '" + schema_ + "' is no longer there: open the newer one");
    }

    void commit() override {
        const Result committed = connection_.run("COMMIT");
        const bool nothing_written = use_ == ReadModelUse::query;
        if (nothing_written || std::string_view{PQcmdStatus(committed.get())} == "COMMIT") return;
        throw InvalidError("read model '" + schema_ +
                           "': a statement of this transaction has failed, so it cannot be "
                           "committed: let the statement's error pass");
    }

    void rollback() noexcept override { connection_.rollback(); }

    void finish_build() override {
        // The next commit that waits for the disk takes all before it along.
        begin();
        connection_.script("SET LOCAL synchronous_commit TO on; COMMENT ON SCHEMA " +
                           quoted_name(schema_) + " IS 'a read model of Daybook'");
        commit();
        for (const SqlRelation& relation : sql_.relations()) {
            if (relation.kind != SqlRelation::Kind::table) continue;
            connection_.script("ANALYZE " + quoted_name(schema_) + "." +
                               quoted_name(relation.name));
        }
    }

private:
    const std::string schema_;
    const ReadModelUse use_;
    Connection connection_;
    ConnectionSql sql_;
};

}  // namespace

ReadModelSchemas::ReadModelSchemas(Place place, EngineOptions options)
    : place_(std::move(place)), options_(std::move(options)), prefix_(place_.schema + "-rm-") {}

std::unique_ptr<ReadModelDatabase> ReadModelSchemas::open(std::string_view name, ReadModelUse use) {
    const std::string schema = schema_of(name);
    auto model = std::make_unique<ReadModelSchema>(place_, options_, schema, use);
    if (model->exists()) return model;
    if (use != ReadModelUse::build) {
        throw NotFoundError("read model '" + std::string(name) +
                            "' is not there: run the projection first");
    }
    model->create();
    // A connection that was made before the schema may go on not to see what is in it.
    return std::make_unique<ReadModelSchema>(place_, options_, schema, use);
}

void ReadModelSchemas::remove(std::string_view name) {
    const std::string schema = schema_of(name);
    Connection connection{place_, options_};
    Parameters parameters;
    parameters.add_text(schema);
    connection.send("BEGIN");
    connection.send_settings();
    connection.send(end_use, parameters);
    connection.receive();
    connection.script("SET LOCAL client_min_messages TO warning; DROP SCHEMA IF EXISTS " +
                      quoted_name(schema) + " CASCADE");
    connection.run("COMMIT");
}

std::vector<std::string> ReadModelSchemas::list() {
    Connection connection{place_, options_};
    Parameters parameters;
    parameters.add_text(prefix_);
    const Result found = connection.run(
        "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, $1) "
        "ORDER BY nspname",
        parameters, Format::text);
    std::vector<std::string> names;
    for (int row = 0; row < found.rows(); ++row) {
        names.emplace_back(found.text(row, 0).substr(prefix_.size()));
    }
    return names;
}

std::string ReadModelSchemas::schema_of(std::string_view name) const {
    detail::check_read_model_name(name);
    std::string schema = prefix_ + std::string(name);
    if (schema.size() > schema_bytes_max) {
        throw InvalidError("read model '" + std::string(name) + "' would live in schema '" +
                           schema +
                           "', over the 63 bytes that PostgreSQL takes: give the "
                           "projection or the store's schema a shorter name");
    }
    return schema;
}

}  // namespace daybook::postgres
