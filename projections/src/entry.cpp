#include "entry.hpp"

#include "async_entry.hpp"
#include "daybook/core/error.hpp"
#include "inline_entry.hpp"
#include "parked.hpp"
#include "rebuild.hpp"

namespace daybook::detail {

Entry::Entry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
             Lifecycle lifecycle, const ProjectionRunnerOptions& options)
    : store_(std::move(store)),
      definition_(std::move(definition)),
      wanted_{definition_->shape(), lifecycle, definition_->shape().fingerprint()},
      options_(options) {}

Entry::Outcome Entry::step(const std::stop_token& stop) {
    const std::scoped_lock lock{work_mutex_};
    if (broken_) return {};
    try {
        return move(stop);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) return {};
        if (is_environment(error)) {
            set_report(ProjectionState::retrying, error.what());
            return {.not_before = std::chrono::steady_clock::now() + options_.poll};
        }
        fail(error.what());
    } catch (const std::exception& error) {
        fail(error.what());
    }
    return {};
}

Entry::Outcome Entry::move(const std::stop_token& stop) {
    auto registered = find();
    if (!registered) registered = enter();
    if (!looked_ && registered->halted) {
        // A new runner may be a new program: it tries for itself.
        set_standing(*registered, false, {});
        registered->halted = false;
    }
    looked_ = true;
    switch (compare(*registered, wanted_)) {
        case Standing::superseded:
            set_report(ProjectionState::superseded,
                       "a newer program has made version " + std::to_string(registered->version));
            return {};
        case Standing::outdated:
            set_report(ProjectionState::outdated, {});
            if (!options_.rebuild_outdated) return {};
            return rebuild(stop);
        case Standing::current: break;
    }
    if (registered->halted) {
        set_report(ProjectionState::halted, registered->last_error);
        return {};
    }
    try {
        if (wants_bulk(*registered)) return rebuild(stop);
        return feed_batch(*registered);
    } catch (...) {
        // A build is removed as soon as another has taken its place.
        if (const auto now = find(); now && now->build != registered->build) return {.more = true};
        throw;
    }
}

Entry::Outcome Entry::feed_batch(const Registered& registered) {
    const Fed fed = feed(registered);
    rate_.add(fed.applied);
    if (fed.halted) {
        set_standing(registered, true, fed.failure);
        store_.log(LogLevel::error, fed.failure);
    }
    {
        const std::scoped_lock lock{report_mutex_};
        report_.state = fed.halted            ? ProjectionState::halted
                        : fed.failure.empty() ? ProjectionState::active
                                              : ProjectionState::retrying;
        report_.last_error = fed.failure;
        report_.position = fed.position;
    }
    return {fed.applied, fed.more, fed.not_before};
}

Registered Entry::enter() {
    store_.transact([&](Transaction& tx) {
        Registry registry{tx.sql(), store_.engine().clock()};
        if (!registry.find(name())) registry.insert(wanted_, make(tx.sql()));
    });
    return find().value();
}

bool Entry::wants_bulk(const Registered& registered) {
    if (bulk_decided_) return false;
    bulk_decided_ = true;
    return options_.rebuild_outdated && store_.head().value() >= options_.bulk_lag_min &&
           position(registered) == Position{0};
}

Entry::Outcome Entry::rebuild(const std::stop_token& stop) {
    RebuildOptions options = options_.rebuild;
    options.stop = stop;
    Rebuild{store_, definition_, wanted_.lifecycle, std::move(options)}.run();
    return {.more = true};
}

void Entry::resume() {
    const std::scoped_lock lock{work_mutex_};
    broken_ = false;
    if (const auto registered = find(); registered && registered->halted) {
        set_standing(*registered, false, {});
    }
    set_report(ProjectionState::active, {});
}

std::uint64_t Entry::replay_parked(std::string_view key) {
    const std::scoped_lock lock{work_mutex_};
    std::uint64_t applied = 0;
    with_model(find_current(), [&](ReadModelDatabase& database, const ReadPage& read) {
        applied = detail::replay_parked(*definition_, database, read, key);
    });
    return applied;
}

std::uint64_t Entry::discard_parked(const DiscardParked& which) {
    const std::scoped_lock lock{work_mutex_};
    std::uint64_t discarded = 0;
    with_model(find_current(), [&](ReadModelDatabase& database, const ReadPage&) {
        discarded = detail::discard_parked(name(), database, which);
    });
    return discarded;
}

Entry::Report Entry::report() const {
    const std::scoped_lock lock{report_mutex_};
    Report report = report_;
    report.rate = rate_.per_second();
    return report;
}

std::optional<Registered> Entry::find() const {
    return Registry{PooledReader{store_.engine()} -> sql()}.find(name());
}

Registered Entry::find_current() const {
    const auto registered = find();
    if (!registered) {
        throw NotFoundError("projection '" + name() + "' has no model yet: run it first");
    }
    if (compare(*registered, wanted_) != Standing::current) {
        throw InvalidError("projection '" + name() +
                           "': its model was made by another definition: rebuild it first");
    }
    return *registered;
}

void Entry::set_standing(const Registered& registered, bool halted, const std::string& error) {
    store_.transact([&](Transaction& tx) {
        Registry{tx.sql(), store_.engine().clock()}.set_standing(registered, halted, error);
    });
}

void Entry::set_report(ProjectionState state, std::string error) {
    const std::scoped_lock lock{report_mutex_};
    report_.state = state;
    report_.last_error = std::move(error);
}

void Entry::fail(const std::string& error) {
    broken_ = true;
    set_report(ProjectionState::halted, error);
    store_.log(LogLevel::error, error);
}

std::unique_ptr<Entry> make_entry(EventStore store,
                                  std::shared_ptr<const ProjectionDefinition> definition,
                                  Lifecycle lifecycle, const ProjectionRunnerOptions& options) {
    if (lifecycle == Lifecycle::in_line) {
        return std::make_unique<InlineEntry>(std::move(store), std::move(definition), options);
    }
    return std::make_unique<AsyncEntry>(std::move(store), std::move(definition), options);
}

}  // namespace daybook::detail
