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

constexpr milliseconds progress_interval{100};
constexpr milliseconds heartbeat_interval{1'000};
/// How many events the transaction of the switch-over may still apply. All appends wait for it.
constexpr std::uint64_t switch_over_lag_max = 200;
constexpr int catch_up_rounds_max = 20;
constexpr std::uint64_t catch_up_commit_events = 10'000;

/// Whether another process may claim the rebuild.
bool is_abandoned(const RebuildRow& row, Timestamp now, milliseconds owner_silent_max) {
    return row.owner.empty() || is_dead(row.owner) ||
           saturating_difference(now, row.updated_at) >= bounded_wait(owner_silent_max);
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
        report_progress(RebuildPhase::claimed, claim_.position, claim_.target);
        catch_up_and_switch_over(*apply_log());
    } catch (...) {
        release(error_text(std::current_exception()));
        throw;
    }
    remove_leftovers();
    result_.took = duration_cast<milliseconds>(steady_clock::now() - started_);
    try {
        report_progress(RebuildPhase::done, result_.position, result_.position);
    } catch (const std::exception& error) {
        // The rebuild is over, so an exception of the callback must not make it look failed.
        store_.log(LogLevel::warning, error.what());
    }
    return result_;
}

void Rebuild::claim() {
    const DefinedProjection defined{shape_, claim_.lifecycle, claim_.fingerprint};
    store_.transact([&](Transaction& tx) {
        Registry registry{detail::store_sql(tx), engine_of(store_).clock()};
        auto row = registry.find(shape_.name);
        if (!row) {
            registry.insert(defined, create_first_model(tx));
            row = registry.find(shape_.name);
        }
        const auto left = registry.find_rebuild(shape_.name);
        if (left &&
            !is_abandoned(*left, engine_of(store_).clock().now(), options_.owner_silent_max)) {
            throw UnavailableError("projection '" + shape_.name + "' is being rebuilt by " +
                                   left->owner + ", now at position " +
                                   std::to_string(left->position.value()) +
                                   ": wait for it, or until it has been silent for " +
                                   std::to_string(options_.owner_silent_max.count()) + " ms");
        }
        result_.resumed = left && left->version == claim_.version &&
                          left->fingerprint == claim_.fingerprint &&
                          left->lifecycle == claim_.lifecycle;
        claim_.build = result_.resumed ? left->build : row->last_build + 1;
        claim_.position = result_.resumed ? left->position : Position{};
        claim_.started_at = result_.resumed ? left->started_at : engine_of(store_).clock().now();
        claim_.target = tx.head();
        claim_.epoch = row->epoch + 1;
        registry.claim(claim_);
    });
    heartbeat_at_ = steady_clock::now();
    result_.version = claim_.version;
    result_.build = claim_.build;
}

std::vector<std::string> Rebuild::create_first_model(Transaction& tx) {
    if (claim_.lifecycle == Lifecycle::async) return {};
    leftovers_.push_back(first_database_name(shape_));
    Sql& sql = store_sql(tx);
    return install_empty(engine_of(store_).read_models(), leftovers_.back(), sql, shape_,
                         empty_checkpoint(store_identity(sql), claim_.fingerprint));
}

std::unique_ptr<ReadModelDatabase> Rebuild::apply_log() {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    const std::string database = database_name(claim_);
    // A store gives each build number once. But after the restore of a backup it gives the later
    // numbers again, and databases of the same names may still exist.
    if (!result_.resumed) databases.remove(database);
    auto build =
        open_build(databases, database, shape_,
                   empty_checkpoint(store_.identity(), claim_.fingerprint, claim_.epoch), log_);
    TransactionLimits limits;
    limits.commit_events = std::max<std::size_t>(options_.commit_events, 1);
    limits.page_events_max = std::min(limits.page_events_max, limits.commit_events);
    limits.commit_interval = options_.commit_interval;
    limits.memory = {options_.rows_max, options_.bytes_max};
    Projector projector{*definition_, shape_.errors, *build, store_.clock(), limits, claim_.epoch};
    projector.reload();
    start_position_ = projector.position();
    const Position target = store_.head();
    apply_up_to(projector, target, RebuildPhase::applying);
    report_progress(RebuildPhase::indexing, projector.position(), target);
    heartbeat(projector.position(), target);
    make_indexes(*build, shape_, claim_.epoch);
    report_progress(RebuildPhase::finishing, projector.position(), target);
    // A build is durable only from here on. If the switch-over came first, a power loss could leave
    // the registry pointing at a build that is not on the disk, with the old one removed.
    build->finish_build();
    return build;
}

void Rebuild::catch_up_and_switch_over(ReadModelDatabase& build) {
    TransactionLimits limits;
    limits.commit_events = catch_up_commit_events;
    Projector projector{*definition_, shape_.errors, build, store_.clock(), limits, claim_.epoch};
    projector.reload();
    do {
        // If events are appended faster than they are applied, no round gets close to the head. The
        // switch-over then applies the rest while appends wait.
        for (int round = 0; round < catch_up_rounds_max; ++round) {
            apply_up_to(projector, store_.head(), RebuildPhase::catching_up);
            if (store_.head().value() - projector.position().value() <= switch_over_lag_max) break;
        }
    } while (!switch_over(projector, build));
    result_.position = projector.position();
    result_.scanned = projector.position().value() - start_position_.value();
    if (replaced_.lifecycle == Lifecycle::async) leftovers_.push_back(database_name(replaced_));
    if (claim_.lifecycle == Lifecycle::inline_) leftovers_.push_back(database_name(claim_));
}

void Rebuild::remove_leftovers() noexcept {
    for (const std::string& database : leftovers_) remove_leftover(store_, database);
}

void Rebuild::apply_up_to(Projector& projector, Position target, RebuildPhase phase) {
    if (phase_ != phase) report_progress(phase, projector.position(), target);
    while (projector.committed().position < target) {
        if (options_.stop.stop_requested()) {
            throw CancelledError("the rebuild of projection '" + shape_.name +
                                 "' was stopped: call it again to go on");
        }
        switch (projector.apply_page(log_, target)) {
            case Projector::PageResult::advanced: break;
            case Projector::PageResult::waiting:
                sleep_until(projector.retry_at(), options_.stop);
                break;
            case Projector::PageResult::halted:
                throw RefusedError(projector.failure_text() +
                                   ": mend the handler and rebuild again, it goes on from there");
            case Projector::PageResult::idle:
                if (projector.committed().position >= target) break;
                throw CorruptError("projection '" + shape_.name + "': the log ends at " +
                                   std::to_string(projector.position().value()) + " and not at " +
                                   std::to_string(target.value()) + ": verify the store");
        }
        report_if_due(phase, projector.position(), target);
    }
}

bool Rebuild::switch_over(Projector& projector, ReadModelDatabase& build) {
    bool switched = false;
    try {
        store_.transact([&](Transaction& tx) { switched = switch_over_in(tx, projector, build); });
    } catch (const std::exception& error) {
        if (!switched || !is_in_service()) throw;
        store_.log(LogLevel::warning, error.what());
    }
    return switched;
}

bool Rebuild::switch_over_in(Transaction& tx, Projector& projector, ReadModelDatabase& build) {
    Registry registry{store_sql(tx), engine_of(store_).clock()};
    if (!registry.has_claim(claim_)) throw_taken_over();
    const Position head = tx.head();
    UncommittedLog log{tx};
    while (projector.committed().position < head) {
        const auto page = projector.apply_page(log, head);
        // Retries of a failing event take place outside of this transaction: appends would wait
        // for them.
        if (page == Projector::PageResult::waiting || page == Projector::PageResult::halted)
            return false;
    }
    replaced_ = registry.find(shape_.name).value();
    replace_model(store_sql(tx), build);
    report_progress(RebuildPhase::switching_over, head, head);
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

void Rebuild::replace_model(Sql& sql, ReadModelDatabase& build) {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    if (replaced_.lifecycle == Lifecycle::inline_) {
        uninstall(databases, sql, shape_.name, replaced_.relations);
    }
    std::vector<std::string> relations;
    if (claim_.lifecycle == Lifecycle::inline_) {
        relations = install_build(databases, database_name(claim_), sql, shape_, build.sql());
    }
    Registry{sql, engine_of(store_).clock()}.switch_over(claim_, relations);
}

void Rebuild::report_if_due(RebuildPhase phase, Position position, Position target) {
    const auto now = steady_clock::now();
    if (now - progress_at_ >= progress_interval) report_progress(phase, position, target);
    if (now - heartbeat_at_ >= heartbeat_interval) heartbeat(position, target);
}

void Rebuild::report_progress(RebuildPhase phase, Position position, Position target) {
    phase_ = phase;
    progress_at_ = steady_clock::now();
    if (!options_.progress) return;
    RebuildProgress progress{shape_.name, phase, position, target};
    const std::chrono::duration<double> spent = progress_at_ - started_;
    if (position > start_position_ && spent.count() > 0) {
        progress.rate =
            static_cast<double>(position.value() - start_position_.value()) / spent.count();
        const auto left = static_cast<double>(target.value() - std::min(position, target).value());
        progress.eta = milliseconds{static_cast<std::int64_t>(1000 * left / progress.rate)};
    }
    options_.progress(progress);
}

void Rebuild::heartbeat(Position position, Position target) {
    heartbeat_at_ = steady_clock::now();
    bool ours = true;
    try {
        store_.transact([&](Transaction& tx) {
            ours = Registry{detail::store_sql(tx), engine_of(store_).clock()}.heartbeat(
                claim_, position, target);
        });
    } catch (const Error& error) {
        // The store is busy. Other processes see the owner as alive until `owner_silent_max`, so
        // the next heartbeat is early enough.
        if (!error.transient()) throw;
    }
    if (!ours) throw_taken_over();
}

void Rebuild::release(const std::string& error) noexcept {
    try {
        store_.transact([&](Transaction& tx) {
            Registry{detail::store_sql(tx), engine_of(store_).clock()}.release(claim_, error);
        });
    } catch (const std::exception& failed) {
        // The row still names this owner, so the next process has to wait until it is silent for
        // `owner_silent_max`, or finds it dead.
        store_.log(LogLevel::warning, failed.what());
    }
}

void Rebuild::throw_taken_over() const {
    throw UnavailableError("the rebuild of projection '" + shape_.name +
                           "' was taken over by somebody else: leave it to them");
}

}  // namespace daybook::detail
