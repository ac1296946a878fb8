#include "async_entry.hpp"

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "models.hpp"

namespace daybook::detail {

void AsyncEntry::open(const Registered& registered) {
    if (feed_ && build_ == registered.build) return;
    close();
    auto database = open_database(registered);
    FeedLimits limits;
    limits.page_events_max = options_.batch_events_max;
    auto feed = std::make_unique<ModelFeed>(*definition_, wanted_.shape.errors, *database,
                                            store_.clock(), limits);
    feed->reload();
    if (feed->committed().definition != registered.fingerprint) {
        throw OtherLogError("projection '" + name() +
                            "': another definition than the store says has made its model: "
                            "rebuild it");
    }
    feed->require_fit(log_);
    database_ = std::move(database);
    feed_ = std::move(feed);
    build_ = registered.build;
}

std::unique_ptr<ReadModelDatabase> AsyncEntry::open_database(const Registered& registered) {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    const std::string database = database_name(registered);
    try {
        return open_model(databases, database, ReadModelUse::feed);
    } catch (const NotFoundError&) {}
    if (build_ == registered.build) {
        store_.log(LogLevel::warning,
                   "read model '" + database + "' has gone and is made again from the whole log");
    }
    // In the transaction in which builds are put into service: one that has been replaced, and is
    // removed, must not come to be once more, empty.
    store_.transact([&](Transaction& tx) {
        const auto now = Registry{detail::store_sql(tx), engine_of(store_).clock()}.find(name());
        if (!now || now->build != registered.build) return;
        make_model(databases, database, wanted_.shape, empty_book(now->store, now->fingerprint));
    });
    return open_model(databases, database, ReadModelUse::feed);
}

void AsyncEntry::close() {
    feed_.reset();
    database_.reset();
}

Position AsyncEntry::position(const Registered& registered) {
    open(registered);
    return feed_->committed().position;
}

Entry::Fed AsyncEntry::feed(const Registered& registered) {
    open(registered);
    const std::uint64_t applied_before = feed_->applied();
    ModelFeed::Step step{};
    try {
        step = feed_->step(log_);
    } catch (...) {
        // Whatever it was, a new connection is a better start than this one.
        close();
        throw;
    }
    Fed fed;
    fed.position = feed_->committed().position;
    fed.applied = feed_->applied() - applied_before;
    fed.more = step == ModelFeed::Step::advanced;
    fed.halted = step == ModelFeed::Step::halted;
    fed.failure = feed_->failure_text();
    if (step == ModelFeed::Step::waiting) fed.not_before = feed_->retry_at();
    // Resumed, it begins with a clean record of attempts.
    if (fed.halted) close();
    return fed;
}

void AsyncEntry::with_model(const Registered& registered, const Work& work) {
    const auto database =
        open_model(engine_of(store_).read_models(), database_name(registered), ReadModelUse::feed);
    Ledger ledger{database->sql(), name()};
    if (const auto book = ledger.load()) {
        const LogPlaces places = log_.places(book->position, book->position);
        ledger.require_fit(*book, places.store, places.first);
    }
    work(*database, Home::model, log_);
}

}  // namespace daybook::detail
