#include "daybook/projections/read_models.hpp"

#include <exception>
#include <map>
#include <string>
#include <vector>

#include "checkpoint_tables.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "models.hpp"
#include "registry.hpp"

namespace daybook {

using detail::ProjectionRow;

struct ReadModels::State {
    using Connection = std::unique_ptr<ReadModelDatabase>;
    /// Unused connections to the build in service.
    struct Idle {
        EventId store;
        std::int64_t build = 0;
        std::vector<Connection> connections;
    };
    static constexpr std::size_t idle_max = 16;

    explicit State(EventStore opened) : store(std::move(opened)) {}

    ProjectionRow find(std::string_view projection) const {
        const PooledReader reader{detail::engine_of(store)};
        if (auto found = detail::Registry{reader->sql()}.find(projection)) return *found;
        throw NotFoundError("projection '" + std::string(projection) +
                            "' has no model in this store: run it first");
    }

    /// Returns a connection to the build in service, with a transaction begun, and updates `row` if
    /// another build is in service by now. Null if the model is in the store's own database.
    Connection open(ProjectionRow& row) {
        for (int attempt = 1;; ++attempt) {
            if (row.lifecycle == Lifecycle::inline_) return nullptr;
            if (Connection kept = take(row); try_begin(kept)) return kept;
            const std::int64_t build = row.build;
            Connection opened;
            std::exception_ptr error;
            try {
                opened = detail::open_model(detail::engine_of(store).read_models(),
                                            detail::database_name(row), ReadModelUse::query);
                opened->begin();
                require_same_log(row, *opened);
            } catch (const Error&) {
                error = std::current_exception();
            }
            // A build is removed only after another build is in service. So if this build is still
            // in service now that the transaction is open, the transaction sees all of it.
            // Otherwise it may see an empty or half removed database, and the next build is opened.
            const EventId identity = row.store;
            row = find(row.name);
            const bool same = row.build == build && row.store == identity;
            if (same || attempt == opens_max) {
                if (error) std::rethrow_exception(error);
                return opened;
            }
        }
    }

    /// Begins a transaction on a kept connection. False if the connection is broken or its build
    /// was removed.
    static bool try_begin(const Connection& kept) {
        if (!kept) return false;
        try {
            kept->begin();
            return true;
        } catch (const Error&) {
            return false;
        }
    }

    /// Throws OtherLogError if the model was made from another log than the store has now.
    void require_same_log(const ProjectionRow& row, ReadModelDatabase& model) const {
        const detail::CheckpointTables tables{model.sql(), row.name};
        const auto checkpoint = detail::CheckpointTables{model.sql(), row.name}.load();
        if (!checkpoint) return;
        const auto ids =
            detail::CommittedLog{store}.ids_at(checkpoint->position, checkpoint->position);
        tables.require_same_log(*checkpoint, ids.store, ids.first);
    }

    Connection take(const ProjectionRow& row) {
        const MutexLock lock{mutex};
        Idle& kept = idle[row.name];
        if (kept.build != row.build || kept.store != row.store) {
            kept = {row.store, row.build, {}};
        }
        if (kept.connections.empty()) return nullptr;
        Connection connection = std::move(kept.connections.back());
        kept.connections.pop_back();
        return connection;
    }

    void give_back(const ProjectionRow& row, Connection connection) {
        const MutexLock lock{mutex};
        Idle& kept = idle[row.name];
        const bool keep = kept.build == row.build && kept.store == row.store &&
                          kept.connections.size() < idle_max;
        if (keep) kept.connections.push_back(std::move(connection));
    }

    static constexpr int opens_max = 100;

    EventStore store;
    Mutex mutex;
    std::map<std::string, Idle, std::less<>> idle DAYBOOK_GUARDED_BY(mutex);
};

ReadModels::ReadModels(EventStore store) : state_(std::make_unique<State>(std::move(store))) {}

ReadModels::~ReadModels() = default;

void ReadModels::query(std::string_view projection, const std::function<void(Sql&)>& look) const {
    ProjectionRow row = state_->find(projection);
    State::Connection connection = state_->open(row);
    if (!connection) {
        state_->store.query(look);
        return;
    }
    Sql& sql = connection->sql();
    // One transaction, so that all statements of `look` see the same state of the model.
    try {
        GuardedSql guarded{sql};
        look(guarded);
        connection->commit();
    } catch (...) {
        connection->rollback();
        throw;
    }
    state_->give_back(row, std::move(connection));
}

Accounting ReadModels::accounting(std::string_view projection) const {
    Accounting accounting;
    query(projection, [&](Sql& sql) {
        const auto checkpoint = detail::CheckpointTables{sql, projection}.load();
        if (!checkpoint) {
            throw NotFoundError("projection '" + std::string(projection) +
                                "' has no model in this store: run it first");
        }
        accounting = *checkpoint;
    });
    return accounting;
}

}  // namespace daybook
