#pragma once

#include <memory>
#include <string>

#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/type_table.hpp"

namespace daybook::sqlite {

/// Opens the store at `path`, or a private one in memory for `:memory:`. `types` must outlive the
/// engine. Throws what EventStore::open throws.
std::unique_ptr<Engine> open_engine(const std::string& path, const StoreOptions& options,
                                    TypeTable& types);

}  // namespace daybook::sqlite
