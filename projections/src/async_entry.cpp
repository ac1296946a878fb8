#include "async_entry.hpp"

#include "daybook/core/error.hpp"
#include "models.hpp"

namespace daybook::detail {

bool AsyncEntry::open(const Registered& registered) {
    if (feed_ && build_ == registered.build) return true;
    close();
    try {
        open_build(registered);
    } catch (const Error& error) {
        close();
        if (error.kind() == ErrorKind::corrupt) throw;
        // Another runner may be just making it: that is over when it is tried again.
        if (!is_replaced(registered)) throw UnavailableError(error.what());
    }
    // A rebuild may have ended before the file was opened, which has then made it anew.
    if (is_replaced(registered)) {
        close();
        store_.engine().read_models().remove(
            database_name(name(), registered.version, registered.build));
        return false;
    }
    build_ = registered.build;
    if (feed_->position() > store_.head()) {
        const std::string ahead = std::to_string(feed_->position().value());
        close();
        throw CorruptError("projection '" + name() + "': its model is at position " + ahead +
                           ", beyond the end of the log, which has lost events: rebuild it");
    }
    return true;
}

void AsyncEntry::open_build(const Registered& registered) {
    database_ =
        open_live(store_.engine().read_models(),
                  database_name(name(), registered.version, registered.build), wanted_.shape);
    FeedLimits limits;
    limits.page_events_max = options_.batch_events_max;
    feed_ = std::make_unique<ModelFeed>(*definition_, wanted_.shape.errors, *database_,
                                        store_.clock(), limits);
    feed_->reload();
}

bool AsyncEntry::is_replaced(const Registered& registered) const {
    const auto now = find();
    return !now || now->build != registered.build;
}

void AsyncEntry::close() {
    feed_.reset();
    database_.reset();
}

Position AsyncEntry::position(const Registered& registered) {
    return open(registered) ? feed_->committed().position : Position{};
}

Entry::Fed AsyncEntry::feed(const Registered& registered) {
    Fed fed;
    fed.more = true;
    if (!open(registered)) return fed;
    const std::uint64_t applied_before = feed_->applied();
    ModelFeed::Step step{};
    try {
        step = feed_->step([this](const PageRequest& request, EventPage& page) {
            store_.read_page(request, page);
        });
    } catch (...) {
        // Whatever it was, a new connection is a better start than this one.
        close();
        if (is_replaced(registered)) return fed;
        throw;
    }
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
    const auto database = store_.engine().read_models().open(
        database_name(name(), registered.version, registered.build), ReadModelUse::feed);
    work(*database,
         [this](const PageRequest& request, EventPage& page) { store_.read_page(request, page); });
}

}  // namespace daybook::detail
