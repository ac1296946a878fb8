#include "engine/postgres/postgres_engine.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "daybook/core/error.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/postgres/connection_sql.hpp"
#include "engine/postgres/event_reader.hpp"
#include "engine/postgres/read_model_schemas.hpp"
#include "engine/postgres/store_schema.hpp"
#include "engine/postgres/watch.hpp"
#include "engine/postgres/writer.hpp"
#include "engine/writer_transaction.hpp"

namespace daybook::postgres {

namespace {

class PostgresReader final : public Reader {
public:
    PostgresReader(const Place& place, const StoreOptions& options, TypeTable& types)
        : connection_(place, options, {{"default_transaction_read_only", "on"}}),
          events_(connection_, types),
          sql_(connection_) {}

    void read(const PageRequest& request, EventPage& page) override { events_.read(request, page); }
    Version version(const StreamName& stream) override { return events_.version(stream); }
    Position head() override { return events_.head(); }
    Sql& sql() override { return sql_; }
    void begin_snapshot() override {
        connection_.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        connection_.send_settings();
        // The first look takes the answer along: two round trips less for each query.
        connection_.guard_transaction([this] {
            connection_.rollback();
            begin_snapshot();
        });
    }
    void end_snapshot() noexcept override { connection_.rollback_unwaited(); }

    bool usable() const noexcept { return connection_.fit(); }
    bool hung_up() const noexcept { return connection_.hung_up(); }

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
    PostgresEngine(const Place& place, const StoreOptions& options, TypeTable& types,
                   int server_version)
        : place_(place),
          options_(options),
          types_(types),
          server_version_(server_version),
          writer_(place, options, types),
          watch_(place, options),
          read_models_(place, options) {}

    Reader& acquire() override {
        {
            const std::scoped_lock lock{pool_mutex_};
            // What has ended one connection has most likely ended the others.
            if (!idle_.empty() && idle_.back()->hung_up()) idle_.clear();
            if (!idle_.empty()) {
                taken_.push_back(std::move(idle_.back()));
                idle_.pop_back();
                return *taken_.back();
            }
        }
        auto made = std::make_unique<PostgresReader>(place_, options_, types_);
        const std::scoped_lock lock{pool_mutex_};
        return *taken_.emplace_back(std::move(made));
    }

    void release(Reader& reader) noexcept override {
        std::unique_ptr<PostgresReader> done;
        const std::scoped_lock lock{pool_mutex_};
        const auto at = std::find_if(taken_.begin(), taken_.end(),
                                     [&](const auto& one) { return one.get() == &reader; });
        done = std::move(*at);
        taken_.erase(at);
        if (!done->usable()) {
            // What took this connection has most likely taken the others.
            idle_.clear();
        } else if (idle_.size() < idle_max) {
            idle_.push_back(std::move(done));
        }
    }

    std::unique_ptr<WriteTransaction> begin() override {
        return std::make_unique<PostgresTransaction>(writer_, [this] { watch_.tell(); });
    }

    std::vector<AppendOutcome> append_all(AppendRequests requests) override {
        std::vector<AppendOutcome> outcomes;
        {
            const std::scoped_lock lock{writer_.mutex};
            outcomes = writer_.append_group(requests);
        }
        watch_.tell();
        return outcomes;
    }

    std::uint64_t change_token() override { return watch_.token(); }
    ReadModelDatabases& read_models() override { return read_models_; }
    const Clock& clock() const override { return watch_.clock(); }

    std::string description() const override {
        return "postgresql " + std::to_string(server_version_ / 10000) + ", schema " +
               place_.schema + (place_.pooled ? ", behind a pooler" : "");
    }

private:
    static constexpr std::size_t idle_max = 16;

    const Place place_;
    const StoreOptions options_;
    TypeTable& types_;
    const int server_version_;  ///< when the store was opened
    Writer writer_;
    Watch watch_;
    ReadModelSchemas read_models_;
    std::mutex pool_mutex_;
    std::vector<std::unique_ptr<PostgresReader>> idle_;   ///< under pool_mutex_
    std::vector<std::unique_ptr<PostgresReader>> taken_;  ///< under pool_mutex_
};

}  // namespace

bool is_postgres(std::string_view uri) noexcept {
    return uri.starts_with("postgresql://") || uri.starts_with("postgres://");
}

std::unique_ptr<Engine> open_engine(std::string_view uri, const StoreOptions& options,
                                    TypeTable& types) {
    const Place place = parse_place(uri);
    Connection connection{place, options};
    prepare_store_schema(connection);
    return std::make_unique<PostgresEngine>(place, options, types,
                                            PQserverVersion(connection.handle()));
}

}  // namespace daybook::postgres
