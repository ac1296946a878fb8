#pragma once

#include <memory>
#include <string_view>

#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/type_table.hpp"

namespace daybook::postgres {

/// True for a URI that this engine opens.
bool is_postgres(std::string_view uri) noexcept;

/// Opens the store that `uri` names (see ConnectionString). `types` must outlive the engine.
std::unique_ptr<Engine> open_engine(std::string_view uri, const StoreOptions& options,
                                    TypeTable& types);

}  // namespace daybook::postgres
