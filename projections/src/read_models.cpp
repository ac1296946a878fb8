#include "daybook/projections/read_models.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "ledger.hpp"
#include "models.hpp"
#include "registry.hpp"
#include "statements.hpp"

namespace daybook {

using detail::Registered;

struct ReadModels::State {
    using Connection = std::unique_ptr<ReadModelDatabase>;
    /// Connections to one build that nobody uses at the moment.
    struct Idle {
        std::int64_t build = 0;
        std::vector<Connection> connections;
    };
    static constexpr std::size_t idle_max = 16;

    explicit State(EventStore opened) : store(std::move(opened)) {}

    Registered find(std::string_view projection) const {
        const PooledReader reader{store.engine()};
        if (auto found = detail::Registry{reader->sql()}.find(projection)) return *found;
        throw NotFoundError("projection '" + std::string(projection) +
                            "' has no model in this store: run it first");
    }

    Connection take(const Registered& registered) {
        {
            const std::scoped_lock lock{mutex};
            Idle& kept = idle[registered.name];
            if (kept.build != registered.build) kept = {registered.build, {}};
            if (!kept.connections.empty()) {
                Connection connection = std::move(kept.connections.back());
                kept.connections.pop_back();
                return connection;
            }
        }
        return store.engine().read_models().open(
            detail::database_name(registered.name, registered.version, registered.build),
            ReadModelUse::query);
    }

    void give_back(const Registered& registered, Connection connection) {
        const std::scoped_lock lock{mutex};
        Idle& kept = idle[registered.name];
        const bool wanted = kept.build == registered.build && kept.connections.size() < idle_max;
        if (wanted) kept.connections.push_back(std::move(connection));
    }

    /// The build that the registry names may be replaced and removed before it is opened.
    Connection open(Registered& registered) {
        for (int attempt = 1;; ++attempt) {
            try {
                return take(registered);
            } catch (const NotFoundError&) {
                const Registered now = find(registered.name);
                if (now.build == registered.build || attempt == opens_max) throw;
                registered = now;
                if (registered.lifecycle == Lifecycle::in_line) return nullptr;
            }
        }
    }

    static constexpr int opens_max = 10;

    EventStore store;
    std::mutex mutex;
    std::map<std::string, Idle, std::less<>> idle;  ///< under mutex
};

ReadModels::ReadModels(EventStore store) : state_(std::make_unique<State>(std::move(store))) {}

ReadModels::~ReadModels() = default;

void ReadModels::query(std::string_view projection, const std::function<void(Sql&)>& look) const {
    Registered registered = state_->find(projection);
    State::Connection connection;
    if (registered.lifecycle == Lifecycle::async) connection = state_->open(registered);
    if (!connection) {
        state_->store.query(look);
        return;
    }
    Sql& sql = connection->sql();
    // All that `look` asks is answered from one state of the model.
    sql.exec(detail::statements::begin_read);
    try {
        look(sql);
        sql.exec(detail::statements::end_read);
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
