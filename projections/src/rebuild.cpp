#include "rebuild.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker.hpp"
#include "models.hpp"

namespace daybook::detail {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds tell_interval{100};
constexpr milliseconds report_interval{1'000};
/// So much may be left for the transaction of the swap, which keeps appends waiting.
constexpr std::uint64_t swap_lag_max = 200;
constexpr int catch_up_rounds_max = 20;
constexpr std::uint64_t catch_up_commit_events = 10'000;

bool is_free(const Unfinished& left, Timestamp now, milliseconds owner_silent_max) {
    return left.owner.empty() || is_dead(left.owner) ||
           saturating_difference(now, left.updated_at) >= bounded_wait(owner_silent_max);
}

}  // namespace

Rebuild::Rebuild(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                 Lifecycle lifecycle, RebuildOptions options)
    : store_(std::move(store)),
      definition_(std::move(definition)),
      shape_(definition_->shape()),
      log_(store_),
      options_(std::move(options)),
      started_(steady_clock::now()) {
    claim_.name = shape_.name;
    claim_.lifecycle = lifecycle;
    claim_.version = shape_.version;
    claim_.fingerprint = definition_fingerprint(store_, shape_);
    claim_.owner = owner_.name();
}

RebuildResult Rebuild::run() {
    claim();
    try {
        remove_orphans(store_);
        tell(RebuildPhase::claimed, claim_.position, claim_.target);
        catch_up_and_swap(*apply());
    } catch (...) {
        leave(error_text(std::current_exception()));
        throw;
    }
    clear_away();
    result_.took = duration_cast<milliseconds>(steady_clock::now() - started_);
    try {
        tell(RebuildPhase::done, result_.position, result_.position);
    } catch (const std::exception& error) {
        // It is in service: there is nothing to be gone on with.
        store_.log(LogLevel::warning, error.what());
    }
    return result_;
}

void Rebuild::claim() {
    const Wanted wanted{shape_, claim_.lifecycle, claim_.fingerprint};
    store_.transact([&](Transaction& tx) {
        Registry registry{detail::store_sql(tx), engine_of(store_).clock()};
        auto registered = registry.find(shape_.name);
        if (!registered) {
            registry.insert(wanted, make_first(tx));
            registered = registry.find(shape_.name);
        }
        const auto left = registry.find_rebuild(shape_.name);
        if (left && !is_free(*left, engine_of(store_).clock().now(), options_.owner_silent_max)) {
            throw UnavailableError("projection '" + shape_.name + "' is being rebuilt by " +
                                   left->owner + ", now at position " +
                                   std::to_string(left->position.value()) +
                                   ": wait for it, or until it has been silent for " +
                                   std::to_string(options_.owner_silent_max.count()) + " ms");
        }
        result_.resumed = left && left->version == claim_.version &&
                          left->fingerprint == claim_.fingerprint &&
                          left->lifecycle == claim_.lifecycle;
        claim_.build = result_.resumed ? left->build : registered->last_build + 1;
        claim_.position = result_.resumed ? left->position : Position{};
        claim_.started_at = result_.resumed ? left->started_at : engine_of(store_).clock().now();
        claim_.target = tx.head();
        claim_.epoch = registered->epoch + 1;
        registry.claim(claim_);
    });
    reported_at_ = steady_clock::now();
    result_.version = claim_.version;
    result_.build = claim_.build;
}

std::vector<std::string> Rebuild::make_first(Transaction& tx) {
    if (claim_.lifecycle == Lifecycle::async) return {};
    leftovers_.push_back(first_database_name(shape_));
    Sql& sql = store_sql(tx);
    return install_empty(engine_of(store_).read_models(), leftovers_.back(), sql, shape_,
                         empty_book(store_identity(sql), claim_.fingerprint));
}

std::unique_ptr<ReadModelDatabase> Rebuild::apply() {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    const std::string database = database_name(claim_);
    // A number is given once in the life of a store, but not if that was put back from a backup.
    if (!result_.resumed) databases.remove(database);
    auto build = open_build(databases, database, shape_,
                            empty_book(store_.identity(), claim_.fingerprint, claim_.epoch), log_);
    FeedLimits limits;
    limits.commit_events = std::max<std::size_t>(options_.commit_events, 1);
    limits.page_events_max = std::min(limits.page_events_max, limits.commit_events);
    limits.commit_interval = options_.commit_interval;
    limits.memory = {options_.rows_max, options_.bytes_max};
    ModelFeed feed{*definition_, shape_.errors, *build, store_.clock(), limits, claim_.epoch};
    feed.reload();
    began_at_ = feed.position();
    const Position target = store_.head();
    drive(feed, target, RebuildPhase::applying);
    tell(RebuildPhase::indexing, feed.position(), target);
    report(feed.position(), target);
    make_indexes(*build, shape_, claim_.epoch);
    tell(RebuildPhase::finishing, feed.position(), target);
    build->finish_build();
    return build;
}

void Rebuild::catch_up_and_swap(ReadModelDatabase& build) {
    FeedLimits limits;
    limits.commit_events = catch_up_commit_events;
    ModelFeed feed{*definition_, shape_.errors, build, store_.clock(), limits, claim_.epoch};
    feed.reload();
    do {
        // Whoever appends faster than this catches up is made to wait by the swap in the end.
        for (int round = 0; round < catch_up_rounds_max; ++round) {
            drive(feed, store_.head(), RebuildPhase::catching_up);
            if (store_.head().value() - feed.position().value() <= swap_lag_max) break;
        }
    } while (!swap(feed, build));
    result_.position = feed.position();
    result_.scanned = feed.position().value() - began_at_.value();
    if (replaced_.lifecycle == Lifecycle::async) leftovers_.push_back(database_name(replaced_));
    if (claim_.lifecycle == Lifecycle::inline_) leftovers_.push_back(database_name(claim_));
}

void Rebuild::clear_away() noexcept {
    for (const std::string& database : leftovers_) remove_leftover(store_, database);
}

void Rebuild::drive(ModelFeed& feed, Position target, RebuildPhase phase) {
    if (told_ != phase) tell(phase, feed.position(), target);
    while (feed.committed().position < target) {
        if (options_.stop.stop_requested()) {
            throw CancelledError("the rebuild of projection '" + shape_.name +
                                 "' was stopped: call it again to go on");
        }
        switch (feed.step(log_, target)) {
            case ModelFeed::Step::advanced: break;
            case ModelFeed::Step::waiting: sleep_until(feed.retry_at(), options_.stop); break;
            case ModelFeed::Step::halted:
                throw RefusedError(feed.failure_text() +
                                   ": mend the handler and rebuild again, it goes on from there");
            case ModelFeed::Step::idle:
                if (feed.committed().position >= target) break;
                throw CorruptError("projection '" + shape_.name + "': the log ends at " +
                                   std::to_string(feed.position().value()) + " and not at " +
                                   std::to_string(target.value()) + ": verify the store");
        }
        show(phase, feed.position(), target);
    }
}

bool Rebuild::swap(ModelFeed& feed, ReadModelDatabase& build) {
    bool swapped = false;
    try {
        store_.transact([&](Transaction& tx) { swapped = swap_in_unit(tx, feed, build); });
    } catch (const std::exception& error) {
        if (!swapped || !is_in_service()) throw;
        store_.log(LogLevel::warning, error.what());
    }
    return swapped;
}

bool Rebuild::swap_in_unit(Transaction& tx, ModelFeed& feed, ReadModelDatabase& build) {
    Registry registry{store_sql(tx), engine_of(store_).clock()};
    if (!registry.is_ours(claim_)) fail_taken_over();
    const Position head = tx.head();
    UnitLog log{tx};
    while (feed.committed().position < head) {
        const auto step = feed.step(log, head);
        // A failing event is dealt with outside, where appends need not wait for it.
        if (step == ModelFeed::Step::waiting || step == ModelFeed::Step::halted) return false;
    }
    replaced_ = registry.find(shape_.name).value();
    install(store_sql(tx), build);
    tell(RebuildPhase::switching_over, head, head);
    return true;
}

bool Rebuild::is_in_service() noexcept {
    try {
        const auto now = Registry{PooledReader{engine_of(store_)} -> sql()}.find(shape_.name);
        return now && now->build == claim_.build;
    } catch (...) {
        return false;
    }
}

void Rebuild::install(Sql& sql, ReadModelDatabase& build) {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    if (replaced_.lifecycle == Lifecycle::inline_) {
        uninstall(databases, sql, shape_.name, replaced_.relations);
    }
    std::vector<std::string> things;
    if (claim_.lifecycle == Lifecycle::inline_) {
        things = install_build(databases, database_name(claim_), sql, shape_, build.sql());
    }
    Registry{sql, engine_of(store_).clock()}.put_in_service(claim_, things);
}

void Rebuild::show(RebuildPhase phase, Position position, Position target) {
    const auto now = steady_clock::now();
    if (now - told_at_ >= tell_interval) tell(phase, position, target);
    if (now - reported_at_ >= report_interval) report(position, target);
}

void Rebuild::tell(RebuildPhase phase, Position position, Position target) {
    told_ = phase;
    told_at_ = steady_clock::now();
    if (!options_.progress) return;
    RebuildProgress progress{shape_.name, phase, position, target};
    const std::chrono::duration<double> spent = told_at_ - started_;
    if (position > began_at_ && spent.count() > 0) {
        progress.rate = static_cast<double>(position.value() - began_at_.value()) / spent.count();
        const auto left = static_cast<double>(target.value() - std::min(position, target).value());
        progress.eta = milliseconds{static_cast<std::int64_t>(1000 * left / progress.rate)};
    }
    options_.progress(progress);
}

void Rebuild::report(Position position, Position target) {
    reported_at_ = steady_clock::now();
    bool ours = true;
    try {
        store_.transact([&](Transaction& tx) {
            ours = Registry{detail::store_sql(tx), engine_of(store_).clock()}.report(
                claim_, position, target);
        });
    } catch (const Error& error) {
        // The store is busy: the next sign of life is soon enough.
        if (!error.transient()) throw;
    }
    if (!ours) fail_taken_over();
}

void Rebuild::leave(const std::string& error) noexcept {
    try {
        store_.transact([&](Transaction& tx) {
            Registry{detail::store_sql(tx), engine_of(store_).clock()}.leave(claim_, error);
        });
    } catch (const std::exception& failed) {
        // The next one finds a silent owner instead of none.
        store_.log(LogLevel::warning, failed.what());
    }
}

void Rebuild::fail_taken_over() const {
    throw UnavailableError("the rebuild of projection '" + shape_.name +
                           "' was taken over by somebody else: leave it to them");
}

}  // namespace daybook::detail
