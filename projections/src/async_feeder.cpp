#include "async_feeder.hpp"

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "models.hpp"

namespace daybook::detail {

void AsyncFeeder::open(const ProjectionRow& row) {
    if (projector_ && build_ == row.build) return;
    close();
    auto database = open_database(row);
    TransactionLimits limits;
    limits.page_events_max = options_.batch_events_max;
    auto projector = std::make_unique<Projector>(*definition_, defined_.shape.errors, *database,
                                                 store_.clock(), limits);
    projector->reload();
    if (projector->committed().definition != row.fingerprint) {
        throw OtherLogError("projection '" + name() +
                            "': another definition than the store says has made its model: "
                            "rebuild it");
    }
    projector->require_same_log(log_);
    database_ = std::move(database);
    projector_ = std::move(projector);
    build_ = row.build;
}

std::unique_ptr<ReadModelDatabase> AsyncFeeder::open_database(const ProjectionRow& row) {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    const std::string database = database_name(row);
    try {
        return open_model(databases, database, ReadModelUse::feed);
    } catch (const NotFoundError&) {}
    if (build_ == row.build) {
        store_.log(LogLevel::warning,
                   "read model '" + database + "' has gone and is made again from the whole log");
    }
    // A switch-over is a write transaction of the store, too, so none can happen between the look
    // into the registry and the creation of the database. Otherwise a build that was replaced and
    // removed would be created once more, empty.
    store_.transact([&](Transaction& tx) {
        const auto now = Registry{detail::store_sql(tx), engine_of(store_).clock()}.find(name());
        if (!now || now->build != row.build) return;
        make_model(databases, database, defined_.shape,
                   empty_checkpoint(now->store, now->fingerprint));
    });
    return open_model(databases, database, ReadModelUse::feed);
}

void AsyncFeeder::close() {
    projector_.reset();
    database_.reset();
}

Position AsyncFeeder::model_position(const ProjectionRow& row) {
    open(row);
    return projector_->committed().position;
}

ProjectionFeeder::BatchResult AsyncFeeder::apply_batch(const ProjectionRow& row) {
    open(row);
    const std::uint64_t applied_before = projector_->applied();
    Projector::PageResult page{};
    try {
        page = projector_->apply_page(log_);
    } catch (...) {
        // The error may have left the connection unusable, so the next batch opens a new one.
        close();
        throw;
    }
    BatchResult result;
    result.position = projector_->committed().position;
    result.applied = projector_->applied() - applied_before;
    result.more = page == Projector::PageResult::advanced;
    result.halted = page == Projector::PageResult::halted;
    result.failure = projector_->failure_text();
    if (page == Projector::PageResult::waiting) result.not_before = projector_->retry_at();
    // After `resume` the attempts are counted from 0, by a new projector.
    if (result.halted) close();
    return result;
}

void AsyncFeeder::with_model(const ProjectionRow& row, const Work& work) {
    const auto database =
        open_model(engine_of(store_).read_models(), database_name(row), ReadModelUse::feed);
    CheckpointTables tables{database->sql(), name()};
    if (const auto checkpoint = tables.load()) {
        const LogIds ids = log_.ids_at(checkpoint->position, checkpoint->position);
        tables.require_same_log(*checkpoint, ids.store, ids.first);
    }
    work(*database, CheckpointLocation::model_database, log_);
}

}  // namespace daybook::detail
