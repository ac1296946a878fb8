#include "entry.hpp"

#include <algorithm>
#include <set>

#include "async_entry.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "inline_entry.hpp"
#include "models.hpp"
#include "parked.hpp"
#include "rebuild.hpp"
#include "statements.hpp"

namespace daybook::detail {

Entry::Entry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
             Lifecycle lifecycle, const ProjectionRunnerOptions& options)
    : store_(std::move(store)),
      definition_(std::move(definition)),
      wanted_{definition_->shape(), lifecycle,
              definition_fingerprint(store_, definition_->shape())},
      options_(options) {}

Entry::Outcome Entry::step(const std::stop_token& stop) {
    const std::scoped_lock lock{work_mutex_};
    if (broken_) return {};
    try {
        Outcome outcome = move(stop);
        waited_for_.clear();
        return outcome;
    } catch (const RefusedError& error) {
        return fail(error.what());
    } catch (const CorruptError& error) {
        return look_again(error, stop);
    } catch (...) {
        if (stop.stop_requested()) return {};
        return wait_out(error_text(std::current_exception()));
    }
}

Entry::Outcome Entry::look_again(const CorruptError& first, const std::stop_token& stop) {
    // One read that fails is not a corrupt model: what new connections see decides.
    try {
        store_.log(LogLevel::warning, std::string(first.what()) + ": looking again");
        drop();
        return move(stop);
    } catch (const CorruptError& error) {
        return fail(error.what());
    } catch (const RefusedError& error) {
        return fail(error.what());
    } catch (...) {
        if (stop.stop_requested()) return {};
        return wait_out(error_text(std::current_exception()));
    }
}

Entry::Outcome Entry::wait_out(const std::string& why) {
    // Said before it is shown, here and below: who sees the state finds the reason in the log.
    if (waited_for_ != why) {
        waited_for_ = why;
        store_.log(LogLevel::warning, "projection '" + name() + "' waits: " + why);
    }
    waits_for(why);
    // Whatever it was, new connections are a better start than these.
    drop();
    return {.not_before = deadline_after(options_.poll)};
}

void Entry::waits_for(const std::string& why) { set_report(ProjectionState::retrying, why); }

Entry::Outcome Entry::move(const std::stop_token& stop) {
    auto registered = find();
    if (!registered) {
        forget_store();
        registered = enter();
        say_what_is_unknown();
    }
    meet(*registered);
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
            set_report(ProjectionState::outdated, difference(*registered, wanted_));
            if (!options_.rebuild_outdated) return {};
            store_.log(LogLevel::info, "projection '" + name() +
                                           "' is rebuilt: " + difference(*registered, wanted_));
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
    } catch (const OtherLogError& why) {
        return part_with(*registered, why, stop);
    } catch (...) {
        // A build is removed as soon as another has taken its place.
        if (const auto now = find(); now && now->build != registered->build) return {.more = true};
        throw;
    }
}

Entry::Outcome Entry::part_with(const Registered& registered, const OtherLogError& why,
                                const std::stop_token& stop) {
    drop();
    if (!options_.rebuild_outdated) {
        store_.log(LogLevel::error, why.what());
        set_standing(registered, true, why.what());
        set_report(ProjectionState::halted, why.what());
        return {};
    }
    store_.log(LogLevel::warning, std::string(why.what()) + ", which is done now");
    set_report(ProjectionState::outdated, why.what());
    return rebuild(stop);
}

void Entry::meet(const Registered& registered) {
    if (identity_ == registered.store) return;
    if (!identity_.is_nil()) {
        store_.log(LogLevel::warning, "projection '" + name() +
                                          "': the store is another than before, " +
                                          registered.store.to_string());
        forget_store();
    }
    identity_ = registered.store;
}

void Entry::forget_store() {
    drop();
    identity_ = {};
    looked_ = false;
    bulk_decided_ = false;
    const std::scoped_lock lock{report_mutex_};
    report_ = {};
}

void Entry::say_what_is_unknown() {
    std::set<std::string, std::less<>> known;
    query_store(store_, [&](Sql& sql) {
        sql.each(statements::names_of_events,
                 [&](const SqlRow& row) { known.emplace(row.text(0)); });
    });
    if (known.empty()) return;
    for (const std::string& event : wanted_.shape.events) {
        const auto& catalog = store_.options().catalog;
        const auto sources = catalog ? catalog->sources_of(event) : std::vector<std::string>{event};
        if (std::ranges::any_of(sources,
                                [&](const auto& source) { return known.contains(source); }))
            continue;
        store_.log(LogLevel::warning,
                   "projection '" + name() + "' handles '" + event +
                       "', and no event of the log has that name: if it was renamed, give the "
                       "store's catalog an upcaster from the old name");
    }
}

Entry::Outcome Entry::feed_batch(const Registered& registered) {
    const Fed fed = feed(registered);
    rate_.add(fed.applied);
    if (fed.halted) {
        store_.log(LogLevel::error, fed.failure);
        set_standing(registered, true, fed.failure);
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
        Registry registry{detail::store_sql(tx), engine_of(store_).clock()};
        if (!registry.find(name())) registry.insert(wanted_, make(detail::store_sql(tx)));
    });
    made();
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
    say_what_is_unknown();
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
    with_model(find_current(), [&](ReadModelDatabase& database, Home home, LogSource& log) {
        applied = detail::replay_parked(*definition_, database, home, log, key);
    });
    return applied;
}

std::uint64_t Entry::discard_parked(const DiscardParked& which) {
    const std::scoped_lock lock{work_mutex_};
    std::uint64_t discarded = 0;
    with_model(find_current(), [&](ReadModelDatabase& database, Home home, LogSource&) {
        discarded = detail::discard_parked(name(), database, home, which);
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
    return Registry{PooledReader{engine_of(store_)} -> sql()}.find(name());
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
        Registry{detail::store_sql(tx), engine_of(store_).clock()}.set_standing(registered, halted,
                                                                                error);
    });
}

void Entry::set_report(ProjectionState state, std::string error) {
    const std::scoped_lock lock{report_mutex_};
    report_.state = state;
    report_.last_error = std::move(error);
}

Entry::Outcome Entry::fail(const std::string& error) {
    broken_ = true;
    store_.log(LogLevel::error, error);
    set_report(ProjectionState::halted, error);
    return {};
}

std::unique_ptr<Entry> make_entry(EventStore store,
                                  std::shared_ptr<const ProjectionDefinition> definition,
                                  Lifecycle lifecycle, const ProjectionRunnerOptions& options) {
    if (lifecycle == Lifecycle::inline_) {
        return std::make_unique<InlineEntry>(std::move(store), std::move(definition), options);
    }
    return std::make_unique<AsyncEntry>(std::move(store), std::move(definition), options);
}

}  // namespace daybook::detail
