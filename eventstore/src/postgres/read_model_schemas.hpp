#pragma once

#include <memory>
#include <string>

#include "postgres/connection.hpp"

namespace daybook::postgres {

/// The read models of a store: a schema each, beside the store's own.
class ReadModelSchemas final : public ReadModelDatabases {
public:
    ReadModelSchemas(Place place, EngineOptions options);

    std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) override;
    void remove(std::string_view name) override;
    std::vector<std::string> list() override;

private:
    std::string schema_of(std::string_view name) const;

    const Place place_;
    const EngineOptions options_;
    const std::string prefix_;
};

}  // namespace daybook::postgres
