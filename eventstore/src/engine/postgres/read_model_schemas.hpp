#pragma once

#include <memory>
#include <string>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/connection.hpp"

namespace daybook::postgres {

/// The read models of a store. Each has a schema of its own in the store's database.
class ReadModelSchemas final : public ReadModelDatabases {
public:
    ReadModelSchemas(ConnectionString connection_string, StoreOptions options);

    std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) override;
    void remove(std::string_view name) override;
    std::vector<std::string> list() override;
    std::vector<std::string> move_into_store(std::string_view name, Sql& store) override;
    void drop_from_store(const std::vector<std::string>& objects, Sql& store) override;

private:
    /// Runs `work` on a connection that is kept for all models: to connect takes longer than the
    /// work.
    template <class Work>
    auto with_connection(Work&& work);
    std::string schema_of(std::string_view name) const;

    const ConnectionString connection_string_;
    const StoreOptions options_;
    const std::string prefix_;  ///< of the schemas' names
    Mutex mutex_;
    std::unique_ptr<Connection> connection_ DAYBOOK_GUARDED_BY(mutex_);
    /// How the comment on each model's schema begins; the model's name follows.
    const std::string description_;
};

}  // namespace daybook::postgres
