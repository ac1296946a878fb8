#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projection_status.hpp"

namespace daybook {

/// Reads read models by the name of their projection, whichever build is in service and whoever
/// feeds it.
///
///     ReadModels models{store};
///     models.query("balances", [&](Sql& sql) {
///         cents = sql.integer("SELECT cents FROM balances WHERE account = ?", "account-1");
///     });
///
/// Thread-safe. Connections are kept until the build in service changes.
class ReadModels {
public:
    explicit ReadModels(EventStore store);
    ~ReadModels();

    /// Shows the model to `look`, read only, on this thread. A rebuild that ends meanwhile does not
    /// disturb it. Throws NotFoundError if there is no model of that name yet, CorruptError if it
    /// was made of another log than the store has now (which a runner mends).
    void query(std::string_view projection, const std::function<void(Sql&)>& look) const;

    /// How far the model in service is. Throws NotFoundError.
    Accounting accounting(std::string_view projection) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
