#include "engine/postgres/postgres_engine.hpp"

#include <algorithm>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "engine/postgres/commit_listener.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/postgres/connection_sql.hpp"
#include "engine/postgres/event_reader.hpp"
#include "engine/postgres/read_model_schemas.hpp"
#include "engine/postgres/store_schema.hpp"
#include "engine/postgres/writer.hpp"
#include "engine/writer_transaction.hpp"

namespace daybook::postgres {

namespace {

class PostgresReader final : public Reader {
public:
    PostgresReader(const ConnectionString& connection_string, const StoreOptions& options,
                   TypeTable& types)
        : connection_(connection_string, options, {{"default_transaction_read_only", "on"}}),
          events_(connection_, types),
          sql_(connection_) {}

    void read(const PageRequest& request, EventPage& page) override { events_.read(request, page); }
    Version version(const StreamName& stream) override { return events_.version(stream); }
    Position head() override { return events_.head(); }
    Sql& sql() override { return sql_; }
    void begin_snapshot() override {
        connection_.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        connection_.send_settings();
        // BEGIN and settings are sent together with the first query, which receives their results:
        // two round trips less.
        connection_.guard_transaction([this] {
            connection_.rollback();
            begin_snapshot();
        });
    }
    void end_snapshot() noexcept override { connection_.rollback_async(); }

    bool usable() const noexcept { return connection_.usable(); }
    bool closed_by_server() const noexcept { return connection_.closed_by_server(); }

private:
    Connection connection_;
    EventReader events_;
    ConnectionSql sql_;
};

class PostgresTransaction final : public detail::WriterTransaction<Writer> {
public:
    using WriterTransaction::WriterTransaction;

    AppendOutcome append(const AppendRequest& request) override {
        const AppendRequest* const one = &request;
        return std::move(append_all({&one, 1}).front());
    }
    std::vector<AppendOutcome> append_all(AppendRequests requests) override {
        return writer().append_all(requests);
    }
    Position head() override { return writer().head(); }
};

class PostgresEngine final : public Engine {
public:
    PostgresEngine(const ConnectionString& connection_string, const StoreOptions& options,
                   TypeTable& types, int server_version)
        : connection_string_(connection_string),
          options_(options),
          types_(types),
          server_version_(server_version),
          writer_(connection_string, options, types),
          commit_listener_(connection_string, options),
          read_models_(connection_string, options) {}

    Reader& acquire() override {
        {
            const MutexLock lock{pool_mutex_};
            // What has closed one connection has most likely closed the others.
            if (!idle_.empty() && idle_.back()->closed_by_server()) idle_.clear();
            if (!idle_.empty()) {
                taken_.push_back(std::move(idle_.back()));
                idle_.pop_back();
                return *taken_.back();
            }
        }
        auto made = std::make_unique<PostgresReader>(connection_string_, options_, types_);
        const MutexLock lock{pool_mutex_};
        return *taken_.emplace_back(std::move(made));
    }

    void release(Reader& reader) noexcept override {
        std::unique_ptr<PostgresReader> done;
        const MutexLock lock{pool_mutex_};
        const auto at = std::find_if(taken_.begin(), taken_.end(),
                                     [&](const auto& one) { return one.get() == &reader; });
        done = std::move(*at);
        taken_.erase(at);
        if (!done->usable()) {
            // What has broken this connection has most likely broken the others.
            idle_.clear();
        } else if (idle_.size() < idle_max) {
            idle_.push_back(std::move(done));
        }
    }

    std::unique_ptr<WriteTransaction> begin() override {
        return std::make_unique<PostgresTransaction>(writer_,
                                                     [this] { commit_listener_.notify(); });
    }

    std::vector<AppendOutcome> append_all(AppendRequests requests) override {
        std::vector<AppendOutcome> outcomes;
        {
            const MutexLock lock{writer_.mutex};
            outcomes = writer_.append_group(requests);
        }
        commit_listener_.notify();
        return outcomes;
    }

    std::uint64_t change_token() override { return commit_listener_.token(); }
    ReadModelDatabases& read_models() override { return read_models_; }
    const Clock& clock() const override { return commit_listener_.clock(); }

    std::string description() const override {
        return "postgresql " + std::to_string(server_version_ / 10000) + ", schema " +
               connection_string_.schema + (connection_string_.pooled ? ", behind a pooler" : "");
    }

private:
    static constexpr std::size_t idle_max = 16;

    const ConnectionString connection_string_;
    const StoreOptions options_;
    TypeTable& types_;
    const int server_version_;  ///< when the store was opened
    Writer writer_;
    CommitListener commit_listener_;
    ReadModelSchemas read_models_;
    Mutex pool_mutex_;
    std::vector<std::unique_ptr<PostgresReader>> idle_ DAYBOOK_GUARDED_BY(pool_mutex_);
    std::vector<std::unique_ptr<PostgresReader>> taken_ DAYBOOK_GUARDED_BY(pool_mutex_);
};

}  // namespace

bool is_postgres(std::string_view uri) noexcept {
    return uri.starts_with("postgresql://") || uri.starts_with("postgres://");
}

std::unique_ptr<Engine> open_engine(std::string_view uri, const StoreOptions& options,
                                    TypeTable& types) {
    const ConnectionString connection_string = parse_connection_string(uri);
    Connection connection{connection_string, options};
    prepare_store_schema(connection);
    return std::make_unique<PostgresEngine>(connection_string, options, types,
                                            PQserverVersion(connection.handle()));
}

}  // namespace daybook::postgres
