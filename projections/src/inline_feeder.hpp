#pragma once

#include "projection_feeder.hpp"
#include "savepoint_database.hpp"

namespace daybook::detail {

/// Applies events to an inline model inside a transaction of the store, from the checkpoint of the
/// model to the head of the transaction. This includes events that programs without the projection
/// have appended. Used by the thread that holds the store's write transaction.
class InlineProjector {
public:
    InlineProjector(Engine& engine, const Clock& clock,
                    std::shared_ptr<const ProjectionDefinition> definition,
                    std::string fingerprint);

    /// Does nothing if the model is halted, or was made by another definition or from another log.
    /// If an event fails that `tx` itself has appended, throws InvalidError, and the append fails.
    /// If an older event fails, halts the projection, and the append goes on.
    void catch_up(Transaction& tx, Position upto = Projector::no_limit);

private:
    Engine& engine_;
    const std::shared_ptr<const ProjectionDefinition> definition_;
    const std::string fingerprint_;
    SavepointDatabase database_;
    Projector projector_;
};

/// Feeds a model in the store's own database inside each append of this process, by a commit hook.
/// A batch applies what other programs have appended meanwhile.
class InlineFeeder final : public ProjectionFeeder {
public:
    InlineFeeder(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                 const ProjectionRunnerOptions& options);

private:
    std::vector<std::string> create_model(Sql& store) override;
    void on_model_created() override;
    void close() override {}
    Position model_position(const ProjectionRow& row) override;
    BatchResult apply_batch(const ProjectionRow& row) override;
    void with_model(const ProjectionRow& row, const Work& work) override;

    Checkpoint load_checkpoint() const;

    std::shared_ptr<InlineProjector> projector_;
    bool hooked_ = false;         ///< from the first batch on
    std::shared_ptr<void> hook_;  ///< removes the hook when destroyed; holds a null pointer
};

}  // namespace daybook::detail
