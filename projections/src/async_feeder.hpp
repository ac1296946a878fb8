#pragma once

#include "projection_feeder.hpp"

namespace daybook::detail {

/// Feeds a model that has a database of its own and follows the committed log.
class AsyncFeeder final : public ProjectionFeeder {
public:
    AsyncFeeder(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                const ProjectionRunnerOptions& options)
        : ProjectionFeeder(std::move(store), std::move(definition), Lifecycle::async, options),
          log_(store_) {}

private:
    /// Nothing: the database is created by the first `open`.
    std::vector<std::string> create_model(Sql&) override { return {}; }
    void close() override;
    Position model_position(const ProjectionRow& row) override;
    BatchResult apply_batch(const ProjectionRow& row) override;
    void with_model(const ProjectionRow& row, const Work& work) override;

    /// Opens the build in service unless it is open.
    void open(const ProjectionRow& row);
    /// Creates the database if it is missing.
    std::unique_ptr<ReadModelDatabase> open_database(const ProjectionRow& row);

    CommittedLog log_;
    std::unique_ptr<ReadModelDatabase> database_;
    std::unique_ptr<Projector> projector_;
    std::int64_t build_ = 0;  ///< the one that is open, or was last
};

}  // namespace daybook::detail
