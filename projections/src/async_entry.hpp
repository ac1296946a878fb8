#pragma once

#include "entry.hpp"

namespace daybook::detail {

/// A projection whose model has a database of its own and follows the log.
class AsyncEntry final : public Entry {
public:
    AsyncEntry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
               const ProjectionRunnerOptions& options)
        : Entry(std::move(store), std::move(definition), Lifecycle::async, options), log_(store_) {}

private:
    std::vector<std::string> make(Sql&) override { return {}; }
    Position position(const Registered& registered) override;
    Fed feed(const Registered& registered) override;
    void with_model(const Registered& registered, const Work& work) override;

    void drop() override { close(); }

    void open(const Registered& registered);
    /// Makes it first if it is in service and missing.
    std::unique_ptr<ReadModelDatabase> open_database(const Registered& registered);
    void close();

    CommittedLog log_;
    std::unique_ptr<ReadModelDatabase> database_;
    std::unique_ptr<ModelFeed> feed_;
    std::int64_t build_ = 0;  ///< the one that is open
};

}  // namespace daybook::detail
