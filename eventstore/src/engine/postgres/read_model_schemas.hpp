#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/connection.hpp"

namespace daybook::postgres {

/// The read models of a store: a schema each, beside the store's own.
class ReadModelSchemas final : public ReadModelDatabases {
public:
    ReadModelSchemas(Place place, StoreOptions options);

    std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) override;
    void remove(std::string_view name) override;
    std::vector<std::string> list() override;
    std::vector<std::string> move_into_store(std::string_view name, Sql& store) override;
    void drop_from_store(const std::vector<std::string>& things, Sql& store) override;

private:
    /// Runs `work` on a connection that is kept for what is no model's own: a new one costs more
    /// than what is done here.
    template <class Work>
    auto with_connection(Work&& work);
    std::string schema_of(std::string_view name) const;

    const Place place_;
    const StoreOptions options_;
    const std::string prefix_;  ///< of schemas
    std::mutex mutex_;
    std::unique_ptr<Connection> connection_;  ///< under mutex_
    const std::string description_;  ///< of schemas, as it begins; then comes the model's name
};

}  // namespace daybook::postgres
