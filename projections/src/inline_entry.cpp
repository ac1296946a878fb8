#include "inline_entry.hpp"

#include "daybook/eventstore/store_access.hpp"
#include "models.hpp"

namespace daybook::detail {

InlineEntry::InlineEntry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                         const ProjectionRunnerOptions& options)
    : Entry(std::move(store), std::move(definition), Lifecycle::inline_, options),
      feed_(std::make_shared<InlineFeed>(engine_of(store_), store_.clock(), definition_,
                                         wanted_.fingerprint)) {}

std::vector<std::string> InlineEntry::make(Sql& store) {
    return install_empty(engine_of(store_).read_models(), first_database_name(wanted_.shape), store,
                         wanted_.shape, empty_book(store_identity(store), wanted_.fingerprint));
}

void InlineEntry::made() { remove_leftover(store_, first_database_name(wanted_.shape)); }

Checkpoint InlineEntry::book() const {
    const PooledReader reader{engine_of(store_)};
    return Ledger{reader->sql(), name(), Home::store}.load().value_or(Checkpoint{});
}

Position InlineEntry::position(const Registered&) { return book().position; }

Entry::Fed InlineEntry::feed(const Registered&) {
    // The hook owns the feed: an append may be inside it while this entry goes.
    if (!hooked_) {
        hook_ = store_.add_commit_hook([feed = feed_](Transaction& unit) { feed->feed(unit); });
        hooked_ = true;
    }
    Fed fed;
    const Checkpoint before = book();
    fed.position = before.position;
    if (before.position >= store_.head()) return fed;
    const Position upto{before.position.value() + options_.batch_events_max};
    store_.transact([&](Transaction& unit) { feed_->feed(unit, upto); });
    const Checkpoint after = book();
    fed.position = after.position;
    fed.applied = after.applied - before.applied;
    fed.more = true;
    return fed;
}

void InlineEntry::with_model(const Registered&, const Work& work) {
    store_.transact([&](Transaction& unit) {
        UnitDatabase database;
        database.enter(unit);
        UnitLog log{unit};
        work(database, Home::store, log);
    });
}

}  // namespace daybook::detail
