#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projection_status.hpp"

namespace daybook {

/// Reads read models by the name of their projection. It follows switch-overs, and the models may
/// be fed by other processes.
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

    /// Calls `look` on this thread with read-only SQL on the model, of which it sees one state,
    /// even if a switch-over happens meanwhile. Throws NotFoundError if the model does not exist
    /// yet, and CorruptError if it was made from another log than the store has now, until a runner
    /// has rebuilt it.
    void query(std::string_view projection, const std::function<void(Sql&)>& look) const;

    /// Position and counts of the model in service. Throws as `query`.
    Accounting accounting(std::string_view projection) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
