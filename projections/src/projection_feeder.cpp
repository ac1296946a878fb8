#include "projection_feeder.hpp"

#include <algorithm>
#include <set>

#include "async_feeder.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "inline_feeder.hpp"
#include "models.hpp"
#include "parked.hpp"
#include "rebuild.hpp"
#include "statements.hpp"

namespace daybook::detail {

ProjectionFeeder::ProjectionFeeder(EventStore store,
                                   std::shared_ptr<const ProjectionDefinition> definition,
                                   Lifecycle lifecycle, const ProjectionRunnerOptions& options)
    : store_(std::move(store)),
      definition_(std::move(definition)),
      defined_{definition_->shape(), lifecycle,
               definition_fingerprint(store_, definition_->shape())},
      options_(options) {}

ProjectionFeeder::FeedResult ProjectionFeeder::feed(const std::stop_token& stop) {
    const MutexLock lock{work_mutex_};
    if (failed_) return {};
    for (bool second_try = false;; second_try = true) {
        try {
            FeedResult result = feed_or_rebuild(stop);
            last_wait_reason_.clear();
            return result;
        } catch (const RefusedError& error) {
            return fail(error.what());
        } catch (const CorruptError& error) {
            // A single bad read does not prove that the model is corrupt, and a halted projection
            // stays halted until `resume`. So it halts only if new connections read the same.
            if (second_try) return fail(error.what());
            store_.log(LogLevel::warning, std::string(error.what()) + ": looking again");
            close();
        } catch (...) {
            if (stop.stop_requested()) return {};
            return retry_later(error_text(std::current_exception()));
        }
    }
}

ProjectionFeeder::FeedResult ProjectionFeeder::retry_later(const std::string& why) {
    // Here and below, the log comes before the report: a caller of `status` that sees the new
    // state finds its reason in the log.
    if (last_wait_reason_ != why) {
        last_wait_reason_ = why;
        store_.log(LogLevel::warning, "projection '" + name() + "' waits: " + why);
    }
    report_waiting(why);
    // The error may have left a connection unusable, so the next try opens new ones.
    close();
    return {.not_before = deadline_after(options_.poll)};
}

void ProjectionFeeder::report_waiting(const std::string& why) {
    set_report(ProjectionState::retrying, why);
}

ProjectionFeeder::FeedResult ProjectionFeeder::feed_or_rebuild(const std::stop_token& stop) {
    auto row = find_row();
    if (!row) {
        reset();
        row = register_projection();
        warn_about_unknown_events();
    }
    detect_other_store(*row);
    if (!has_fed_ && row->halted) {
        // A new runner may belong to a program with a corrected handler: it tries once itself.
        set_halted(*row, false, {});
        row->halted = false;
    }
    has_fed_ = true;
    switch (compare(*row, defined_)) {
        case DefinitionMatch::superseded:
            set_report(ProjectionState::superseded,
                       "a newer program has made version " + std::to_string(row->version));
            return {};
        case DefinitionMatch::outdated:
            set_report(ProjectionState::outdated, difference(*row, defined_));
            if (!options_.rebuild_outdated) return {};
            store_.log(LogLevel::info,
                       "projection '" + name() + "' is rebuilt: " + difference(*row, defined_));
            return rebuild(stop);
        case DefinitionMatch::current: break;
    }
    if (row->halted) {
        set_report(ProjectionState::halted, row->last_error);
        return {};
    }
    try {
        if (needs_bulk_rebuild(*row)) return rebuild(stop);
        return apply_and_report(*row);
    } catch (const OtherLogError& why) {
        return handle_other_log(*row, why, stop);
    } catch (...) {
        // After the switch-over of another process, the build that this feeder has open is
        // removed. The error comes from that and is no failure.
        if (const auto now = find_row(); now && now->build != row->build) return {.more = true};
        throw;
    }
}

ProjectionFeeder::FeedResult ProjectionFeeder::handle_other_log(const ProjectionRow& row,
                                                                const OtherLogError& why,
                                                                const std::stop_token& stop) {
    close();
    if (!options_.rebuild_outdated) {
        store_.log(LogLevel::error, why.what());
        set_halted(row, true, why.what());
        set_report(ProjectionState::halted, why.what());
        return {};
    }
    store_.log(LogLevel::warning, std::string(why.what()) + ", which is done now");
    set_report(ProjectionState::outdated, why.what());
    return rebuild(stop);
}

void ProjectionFeeder::detect_other_store(const ProjectionRow& row) {
    if (store_id_ == row.store) return;
    if (!store_id_.is_nil()) {
        store_.log(LogLevel::warning, "projection '" + name() +
                                          "': the store is another than before, " +
                                          row.store.to_string());
        reset();
    }
    store_id_ = row.store;
}

void ProjectionFeeder::reset() {
    close();
    store_id_ = {};
    has_fed_ = false;
    bulk_decided_ = false;
    const MutexLock lock{report_mutex_};
    report_ = {};
}

void ProjectionFeeder::warn_about_unknown_events() {
    std::set<std::string, std::less<>> known;
    query_store(store_, [&](Sql& sql) {
        sql.each(statements::names_of_events,
                 [&](const SqlRow& row) { known.emplace(row.text(0)); });
    });
    if (known.empty()) return;
    for (const std::string& event : defined_.shape.events) {
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

ProjectionFeeder::FeedResult ProjectionFeeder::apply_and_report(const ProjectionRow& row) {
    const BatchResult result = apply_batch(row);
    rate_.add(result.applied);
    if (result.halted) {
        store_.log(LogLevel::error, result.failure);
        set_halted(row, true, result.failure);
    }
    {
        const MutexLock lock{report_mutex_};
        report_.state = result.halted            ? ProjectionState::halted
                        : result.failure.empty() ? ProjectionState::active
                                                 : ProjectionState::retrying;
        report_.last_error = result.failure;
        report_.position = result.position;
    }
    return {result.applied, result.more, result.not_before};
}

ProjectionRow ProjectionFeeder::register_projection() {
    store_.transact([&](Transaction& tx) {
        Registry registry{detail::store_sql(tx), engine_of(store_).clock()};
        if (!registry.find(name())) registry.insert(defined_, create_model(detail::store_sql(tx)));
    });
    on_model_created();
    return find_row().value();
}

bool ProjectionFeeder::needs_bulk_rebuild(const ProjectionRow& row) {
    if (bulk_decided_) return false;
    bulk_decided_ = true;
    return options_.rebuild_outdated && store_.head().value() >= options_.bulk_lag_min &&
           model_position(row) == Position{0};
}

ProjectionFeeder::FeedResult ProjectionFeeder::rebuild(const std::stop_token& stop) {
    RebuildOptions options = options_.rebuild;
    options.stop = stop;
    Rebuild{store_, definition_, defined_.lifecycle, std::move(options)}.run();
    warn_about_unknown_events();
    return {.more = true};
}

void ProjectionFeeder::resume() {
    const MutexLock lock{work_mutex_};
    failed_ = false;
    if (const auto row = find_row(); row && row->halted) {
        set_halted(*row, false, {});
    }
    set_report(ProjectionState::active, {});
}

std::uint64_t ProjectionFeeder::replay_parked(std::string_view key) {
    const MutexLock lock{work_mutex_};
    std::uint64_t applied = 0;
    with_model(require_current_row(),
               [&](ReadModelDatabase& database, CheckpointLocation location, LogSource& log) {
                   applied = detail::replay_parked(*definition_, database, location, log, key);
               });
    return applied;
}

std::uint64_t ProjectionFeeder::discard_parked(const DiscardParked& which) {
    const MutexLock lock{work_mutex_};
    std::uint64_t discarded = 0;
    with_model(require_current_row(),
               [&](ReadModelDatabase& database, CheckpointLocation location, LogSource&) {
                   discarded = detail::discard_parked(name(), database, location, which);
               });
    return discarded;
}

ProjectionFeeder::Report ProjectionFeeder::report() const {
    const MutexLock lock{report_mutex_};
    Report report = report_;
    report.rate = rate_.per_second();
    return report;
}

std::optional<ProjectionRow> ProjectionFeeder::find_row() const {
    return Registry{PooledReader{engine_of(store_)} -> sql()}.find(name());
}

ProjectionRow ProjectionFeeder::require_current_row() const {
    const auto row = find_row();
    if (!row) {
        throw NotFoundError("projection '" + name() + "' has no model yet: run it first");
    }
    if (compare(*row, defined_) != DefinitionMatch::current) {
        throw InvalidError("projection '" + name() +
                           "': its model was made by another definition: rebuild it first");
    }
    return *row;
}

void ProjectionFeeder::set_halted(const ProjectionRow& row, bool halted, const std::string& error) {
    store_.transact([&](Transaction& tx) {
        Registry{detail::store_sql(tx), engine_of(store_).clock()}.set_halted(row, halted, error);
    });
}

void ProjectionFeeder::set_report(ProjectionState state, std::string error) {
    const MutexLock lock{report_mutex_};
    report_.state = state;
    report_.last_error = std::move(error);
}

ProjectionFeeder::FeedResult ProjectionFeeder::fail(const std::string& error) {
    failed_ = true;
    store_.log(LogLevel::error, error);
    set_report(ProjectionState::halted, error);
    return {};
}

std::unique_ptr<ProjectionFeeder> make_feeder(
    EventStore store, std::shared_ptr<const ProjectionDefinition> definition, Lifecycle lifecycle,
    const ProjectionRunnerOptions& options) {
    if (lifecycle == Lifecycle::inline_) {
        return std::make_unique<InlineFeeder>(std::move(store), std::move(definition), options);
    }
    return std::make_unique<AsyncFeeder>(std::move(store), std::move(definition), options);
}

}  // namespace daybook::detail
