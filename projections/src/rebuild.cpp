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
/// How often to look whether the lease of another owner was released.
constexpr milliseconds lease_poll_interval{20};
/// How many events the transaction of the switch-over may still apply. All appends wait for it.
constexpr std::uint64_t switch_over_lag_max = 200;
constexpr int catch_up_rounds_max = 20;
constexpr std::uint64_t catch_up_commit_events = 10'000;

}  // namespace

Rebuild::Rebuild(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                 Lifecycle lifecycle, RebuildOptions options)
    : store_(std::move(store)),
      definition_(std::move(definition)),
      shape_(definition_->shape()),
      log_(store_),
      options_(std::move(options)),
      started_(steady_clock::now()),
      lease_(store_, shape_.name, options_.lease,
             [this](Transaction& tx) { record_progress(tx); }) {
    claim_.name = shape_.name;
    claim_.lifecycle = lifecycle;
    claim_.version = shape_.version;
    claim_.fingerprint = definition_fingerprint(store_, shape_);
}

RebuildResult Rebuild::run() {
    claim();
    try {
        position_ = claim_.position;
        target_ = claim_.target;
        lease_.start_renewing();
        remove_orphans(store_);
        report_progress(RebuildPhase::claimed, claim_.position, claim_.target);
        catch_up_and_switch_over(*apply_log());
    } catch (...) {
        lease_.stop_renewing();
        release(error_text(std::current_exception()));
        throw;
    }
    lease_.stop_renewing();
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
    while (!try_claim()) wait_for_owner();
    result_.version = claim_.version;
    result_.build = claim_.build;
}

bool Rebuild::try_claim() {
    const DefinedProjection defined{shape_, claim_.lifecycle, claim_.fingerprint};
    bool claimed = false;
    store_.transact([&](Transaction& tx) {
        claimed = lease_.try_acquire(tx);
        if (!claimed) return;
        Registry registry{store_sql(tx), engine_of(store_).clock()};
        auto row = registry.find(shape_.name);
        if (!row) {
            registry.insert(defined, create_first_model(tx));
            row = registry.find(shape_.name);
        }
        const auto left = registry.find_rebuild(shape_.name);
        result_.resumed = left && left->version == claim_.version &&
                          left->fingerprint == claim_.fingerprint &&
                          left->lifecycle == claim_.lifecycle;
        claim_.build = result_.resumed ? left->build : row->last_build + 1;
        claim_.position = result_.resumed ? left->position : Position{};
        claim_.started_at = result_.resumed ? left->started_at : engine_of(store_).clock().now();
        claim_.target = tx.head();
        registry.claim(claim_);
    });
    return claimed;
}

void Rebuild::wait_for_owner() {
    const auto deadline = deadline_after(options_.lease);
    const std::optional<Lease> first = lease_.find();
    for (auto lease = first; lease && !lease_.has_run_out(*lease); lease = lease_.find()) {
        // A renewal shows that the owner is alive. An instant that has come nearer shows only that
        // the clock was set back (see Leases::shorten).
        const bool is_alive = lease->token != first->token || lease->until > first->until;
        if (is_alive || steady_clock::now() >= deadline) throw_in_use(*lease);
        throw_if_stopped();
        sleep_until(std::min(deadline, deadline_after(lease_poll_interval)), options_.stop);
    }
}

void Rebuild::throw_in_use(const Lease& lease) {
    Position position;
    query_store(store_, [&](Sql& sql) {
        if (const auto row = Registry{sql}.find_rebuild(shape_.name)) position = row->position;
    });
    throw UnavailableError("projection '" + shape_.name + "' is being rebuilt by " + lease.owner +
                           ", now at position " + std::to_string(position.value()) +
                           ": wait for it, or until its lease of " +
                           std::to_string(duration_cast<milliseconds>(lease.duration).count()) +
                           " ms has run out");
}

std::vector<std::string> Rebuild::create_first_model(Transaction& tx) {
    if (claim_.lifecycle == Lifecycle::async) return {};
    leftovers_.push_back(first_database_name(shape_));
    Sql& sql = store_sql(tx);
    return install_empty(engine_of(store_).read_models(), leftovers_.back(), sql, shape_,
                         empty_checkpoint(store_identity(sql), claim_.fingerprint));
}

std::unique_ptr<ReadModelDatabase> Rebuild::open_own_build() {
    ReadModelDatabases& databases = engine_of(store_).read_models();
    const std::string database = database_name(claim_);
    const Checkpoint start =
        empty_checkpoint(store_.identity(), claim_.fingerprint, lease_.token());
    std::unique_ptr<ReadModelDatabase> build;
    // While this transaction is open, nobody can acquire the lease. Without it, an owner that was
    // replaced could remove or fence off the build of the next one, which may be in service by now.
    store_.transact([&](Transaction& tx) {
        lease_.require_held(tx);
        // A store gives each build number once. But after the restore of a backup it gives the
        // later numbers again, and databases of the same names may still exist.
        if (!result_.resumed) databases.remove(database);
        build = open_build(databases, database, shape_, start, log_);
    });
    return build;
}

std::unique_ptr<ReadModelDatabase> Rebuild::apply_log() {
    auto build = open_own_build();
    TransactionLimits limits;
    limits.commit_events = std::max<std::size_t>(options_.commit_events, 1);
    limits.page_events_max = std::min(limits.page_events_max, limits.commit_events);
    limits.commit_interval = options_.commit_interval;
    limits.memory = {options_.rows_max, options_.bytes_max};
    const std::uint64_t token = lease_.token();
    Projector projector{*definition_, shape_.errors, *build, store_.clock(), limits, token};
    projector.reload();
    start_position_ = projector.position();
    const Position target = store_.head();
    apply_up_to(projector, target, RebuildPhase::applying);
    report_progress(RebuildPhase::indexing, projector.position(), target);
    make_indexes(*build, shape_, token);
    report_progress(RebuildPhase::finishing, projector.position(), target);
    // A build is durable only from here on. If the switch-over came first, a power loss could leave
    // the registry pointing at a build that is not on the disk, with the old one removed.
    build->finish_build();
    return build;
}

void Rebuild::catch_up_and_switch_over(ReadModelDatabase& build) {
    TransactionLimits limits;
    limits.commit_events = catch_up_commit_events;
    Projector projector{*definition_, shape_.errors, build, store_.clock(), limits, lease_.token()};
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
        throw_if_stopped();
        lease_.require_not_lost();
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
        position_ = projector.position();
        target_ = target;
        if (steady_clock::now() - progress_at_ >= progress_interval)
            report_progress(phase, projector.position(), target);
    }
}

void Rebuild::throw_if_stopped() const {
    if (!options_.stop.stop_requested()) return;
    throw CancelledError("the rebuild of projection '" + shape_.name +
                         "' was stopped: call it again to go on");
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
    lease_.require_held(tx);
    const Position head = tx.head();
    UncommittedLog log{tx};
    while (projector.committed().position < head) {
        const auto page = projector.apply_page(log, head);
        // Retries of a failing event take place outside of this transaction: appends would wait
        // for them.
        if (page == Projector::PageResult::waiting || page == Projector::PageResult::halted)
            return false;
    }
    replaced_ = Registry{store_sql(tx)}.find(shape_.name).value();
    replace_model(store_sql(tx), build);
    lease_.release(tx);
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

void Rebuild::record_progress(Transaction& tx) {
    Registry{store_sql(tx), engine_of(store_).clock()}.record_progress(shape_.name, position_,
                                                                       target_);
}

void Rebuild::release(const std::string& error) noexcept {
    try {
        store_.transact([&](Transaction& tx) {
            if (!lease_.held(tx)) return;
            record_progress(tx);
            Registry{store_sql(tx), engine_of(store_).clock()}.record_error(shape_.name, error);
            lease_.release(tx);
        });
    } catch (const std::exception& failed) {
        // The lease is still this owner's, so the next rebuild waits until it has run out.
        store_.log(LogLevel::warning, failed.what());
    }
}

}  // namespace daybook::detail
