#include "inline_feeder.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "models.hpp"

namespace daybook::detail {

namespace {

/// Retries would keep the append waiting, and all other appends with it.
ErrorPolicy without_retries(ErrorPolicy errors) {
    errors.retry = errors.retry.attempts(1);
    return errors;
}

}  // namespace

InlineProjector::InlineProjector(Engine& engine, const Clock& clock,
                                 std::shared_ptr<const ProjectionDefinition> definition,
                                 std::string fingerprint)
    : engine_(engine),
      definition_(std::move(definition)),
      fingerprint_(std::move(fingerprint)),
      projector_(*definition_, without_retries(definition_->shape().errors), database_, clock, {},
                 {}, CheckpointLocation::store_database) {}

void InlineProjector::catch_up(Transaction& tx, Position upto) {
    const ProjectionShape& shape = definition_->shape();
    Registry registry{store_sql(tx)};
    const auto row = registry.find(shape.name);
    const DefinedProjection defined{shape, Lifecycle::inline_, fingerprint_};
    if (!row || row->halted || compare(*row, defined) != DefinitionMatch::current) {
        return;
    }
    database_.use(tx);
    try {
        projector_.reload();
    } catch (const OtherLogError&) {
        // The append must not fail for this. The feeder finds it in its next batch and rebuilds.
        return;
    }
    const Position target = std::min(upto, tx.head());
    UncommittedLog log{tx};
    while (projector_.committed().position < target) {
        if (projector_.apply_page(log, target) != Projector::PageResult::halted) continue;
        const std::string text = projector_.failure_text();
        // Another connection sees the head before this transaction: events after that head are
        // its own, and failing the append keeps them out of the log.
        if (projector_.failure()->position > PooledReader { engine_ } -> head())
            throw InvalidError(text);
        registry.set_halted(*row, true, text);
        return;
    }
}

InlineFeeder::InlineFeeder(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                           const ProjectionRunnerOptions& options)
    : ProjectionFeeder(std::move(store), std::move(definition), Lifecycle::inline_, options),
      projector_(std::make_shared<InlineProjector>(engine_of(store_), store_.clock(), definition_,
                                                   defined_.fingerprint)) {}

std::vector<std::string> InlineFeeder::create_model(Sql& store) {
    return install_empty(engine_of(store_).read_models(), first_database_name(defined_.shape),
                         store, defined_.shape,
                         empty_checkpoint(store_identity(store), defined_.fingerprint));
}

void InlineFeeder::on_model_created() {
    remove_leftover(store_, first_database_name(defined_.shape));
}

Checkpoint InlineFeeder::load_checkpoint() const {
    const PooledReader reader{engine_of(store_)};
    return CheckpointTables{reader->sql(), name(), CheckpointLocation::store_database}
        .load()
        .value_or(Checkpoint{});
}

Position InlineFeeder::model_position(const ProjectionRow&) { return load_checkpoint().position; }

ProjectionFeeder::BatchResult InlineFeeder::apply_batch(const ProjectionRow&) {
    // The hook shares the projector: an append may still be inside it on another thread when this
    // feeder is destroyed.
    if (!hooked_) {
        hook_ = store_.add_commit_hook(
            [projector = projector_](Transaction& tx) { projector->catch_up(tx); });
        hooked_ = true;
    }
    BatchResult result;
    const Checkpoint before = load_checkpoint();
    result.position = before.position;
    if (before.position >= store_.head()) return result;
    const Position upto{before.position.value() + options_.batch_events_max};
    store_.transact([&](Transaction& tx) { projector_->catch_up(tx, upto); });
    const Checkpoint after = load_checkpoint();
    result.position = after.position;
    result.applied = after.applied - before.applied;
    result.more = true;
    return result;
}

void InlineFeeder::with_model(const ProjectionRow&, const Work& work) {
    store_.transact([&](Transaction& tx) {
        SavepointDatabase database;
        database.use(tx);
        UncommittedLog log{tx};
        work(database, CheckpointLocation::store_database, log);
    });
}

}  // namespace daybook::detail
