#include "daybook/projections/read_models.hpp"

#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "ledger.hpp"
#include "models.hpp"
#include "registry.hpp"

namespace daybook {

using detail::Registered;

struct ReadModels::State {
    using Connection = std::unique_ptr<ReadModelDatabase>;
    /// Connections to one build that nobody uses at the moment.
    struct Idle {
        EventId store;
        std::int64_t build = 0;
        std::vector<Connection> connections;
    };
    static constexpr std::size_t idle_max = 16;

    explicit State(EventStore opened) : store(std::move(opened)) {}

    Registered find(std::string_view projection) const {
        const PooledReader reader{detail::engine_of(store)};
        if (auto found = detail::Registry{reader->sql()}.find(projection)) return *found;
        throw NotFoundError("projection '" + std::string(projection) +
                            "' has no model in this store: run it first");
    }

    /// A connection to the build in service, which is looked up again in `registered`, with a look
    /// begun; nothing if the model stands in the store's own database.
    Connection open(Registered& registered) {
        for (int attempt = 1;; ++attempt) {
            if (registered.lifecycle == Lifecycle::inline_) return nullptr;
            if (Connection kept = take(registered); begun(kept)) return kept;
            const std::int64_t build = registered.build;
            Connection opened;
            std::exception_ptr error;
            try {
                opened = detail::open_model(detail::engine_of(store).read_models(),
                                            detail::database_name(registered), ReadModelUse::query);
                opened->begin();
                require_fit(registered, *opened);
            } catch (const Error&) {
                error = std::current_exception();
            }
            // A build is removed after another went into service. So if it still is in service now
            // that the connection stands, all of it was there.
            const EventId identity = registered.store;
            registered = find(registered.name);
            const bool same = registered.build == build && registered.store == identity;
            if (same || attempt == opens_max) {
                if (error) std::rethrow_exception(error);
                return opened;
            }
        }
    }

    /// False for a connection that has been lost, or whose build has.
    static bool begun(const Connection& kept) {
        if (!kept) return false;
        try {
            kept->begin();
            return true;
        } catch (const Error&) {
            return false;
        }
    }

    /// Throws OtherLogError for a model that is not of the log which the store has now.
    void require_fit(const Registered& registered, ReadModelDatabase& model) const {
        const detail::Ledger ledger{model.sql(), registered.name};
        const auto book = detail::Ledger{model.sql(), registered.name}.load();
        if (!book) return;
        const auto places = detail::CommittedLog{store}.places(book->position, book->position);
        ledger.require_fit(*book, places.store, places.first);
    }

    Connection take(const Registered& registered) {
        const std::scoped_lock lock{mutex};
        Idle& kept = idle[registered.name];
        if (kept.build != registered.build || kept.store != registered.store) {
            kept = {registered.store, registered.build, {}};
        }
        if (kept.connections.empty()) return nullptr;
        Connection connection = std::move(kept.connections.back());
        kept.connections.pop_back();
        return connection;
    }

    void give_back(const Registered& registered, Connection connection) {
        const std::scoped_lock lock{mutex};
        Idle& kept = idle[registered.name];
        const bool wanted = kept.build == registered.build && kept.store == registered.store &&
                            kept.connections.size() < idle_max;
        if (wanted) kept.connections.push_back(std::move(connection));
    }

    static constexpr int opens_max = 100;

    EventStore store;
    std::mutex mutex;
    std::map<std::string, Idle, std::less<>> idle;  ///< under mutex
};

ReadModels::ReadModels(EventStore store) : state_(std::make_unique<State>(std::move(store))) {}

ReadModels::~ReadModels() = default;

void ReadModels::query(std::string_view projection, const std::function<void(Sql&)>& look) const {
    Registered registered = state_->find(projection);
    State::Connection connection = state_->open(registered);
    if (!connection) {
        state_->store.query(look);
        return;
    }
    Sql& sql = connection->sql();
    // All that `look` asks is answered from one state of the model.
    try {
        GuardedSql guarded{sql};
        look(guarded);
        connection->commit();
    } catch (...) {
        connection->rollback();
        throw;
    }
    state_->give_back(registered, std::move(connection));
}

Accounting ReadModels::accounting(std::string_view projection) const {
    Accounting accounting;
    query(projection, [&](Sql& sql) {
        const auto book = detail::Ledger{sql, projection}.load();
        if (!book) {
            throw NotFoundError("projection '" + std::string(projection) +
                                "' has no model in this store: run it first");
        }
        accounting = *book;
    });
    return accounting;
}

}  // namespace daybook
