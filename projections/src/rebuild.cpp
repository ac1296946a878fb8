#include "rebuild.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "daybook/core/error.hpp"
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
    return left.owner.empty() || is_dead(left.owner) || now - left.updated_at >= owner_silent_max;
}

}  // namespace

bool sleep_until(steady_clock::time_point when, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_until(lock, stop, when, [] { return false; });
    return !stop.stop_requested();
}

Rebuild::Rebuild(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                 Lifecycle lifecycle, RebuildOptions options)
    : store_(std::move(store)),
      definition_(std::move(definition)),
      shape_(definition_->shape()),
      options_(std::move(options)),
      started_(steady_clock::now()) {
    claim_.name = shape_.name;
    claim_.lifecycle = lifecycle;
    claim_.version = shape_.version;
    claim_.fingerprint = shape_.fingerprint();
    claim_.owner = owner_.name();
}

RebuildResult Rebuild::run() {
    claim();
    try {
        remove_orphans(store_);
        tell(RebuildPhase::claimed, claim_.position, claim_.target);
        apply();
        catch_up_and_swap();
    } catch (const std::exception& error) {
        leave(error.what());
        throw;
    } catch (...) {
        leave("an exception that is no std::exception");
        throw;
    }
    result_.took = duration_cast<milliseconds>(steady_clock::now() - started_);
    tell(RebuildPhase::done, result_.position, result_.position);
    return result_;
}

void Rebuild::claim() {
    const Wanted wanted{shape_, claim_.lifecycle, claim_.fingerprint};
    store_.transact([&](Transaction& tx) {
        Registry registry{tx.sql(), store_.engine().clock()};
        auto registered = registry.find(shape_.name);
        if (!registered) {
            const bool in_line = claim_.lifecycle == Lifecycle::in_line;
            registry.insert(wanted,
                            in_line ? install_empty(tx.sql(), shape_) : std::vector<std::string>{});
            registered = registry.find(shape_.name);
        }
        const auto left = registry.find_rebuild(shape_.name);
        if (left && !is_free(*left, store_.engine().clock().now(), options_.owner_silent_max)) {
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
        claim_.started_at = result_.resumed ? left->started_at : store_.engine().clock().now();
        claim_.target = tx.head();
        claim_.epoch = registered->epoch + 1;
        registry.claim(claim_);
    });
    reported_at_ = steady_clock::now();
    result_.version = claim_.version;
    result_.build = claim_.build;
}

void Rebuild::apply() {
    const auto build =
        open_build(store_.engine().read_models(), database_name(claim_), shape_, claim_.epoch);
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
}

void Rebuild::catch_up_and_swap() {
    auto build =
        open_model(store_.engine().read_models(), database_name(claim_), ReadModelUse::feed);
    FeedLimits limits;
    limits.commit_events = catch_up_commit_events;
    ModelFeed feed{*definition_, shape_.errors, *build, store_.clock(), limits, claim_.epoch};
    feed.reload();
    do {
        // Whoever appends faster than this catches up is made to wait by the swap in the end.
        for (int round = 0; round < catch_up_rounds_max; ++round) {
            drive(feed, store_.head(), RebuildPhase::catching_up);
            if (store_.head().value() - feed.position().value() <= swap_lag_max) break;
        }
    } while (!swap(feed, *build));
    result_.position = feed.position();
    result_.scanned = feed.position().value() - began_at_.value();
    ReadModelDatabases& databases = store_.engine().read_models();
    if (replaced_.lifecycle == Lifecycle::async) {
        databases.remove(database_name(replaced_));
    }
    if (claim_.lifecycle == Lifecycle::in_line) databases.remove(database_name(claim_));
}

void Rebuild::drive(ModelFeed& feed, Position target, RebuildPhase phase) {
    const ModelFeed::ReadPage read = [this](const PageRequest& request, EventPage& page) {
        store_.read_page(request, page);
    };
    if (told_ != phase) tell(phase, feed.position(), target);
    while (feed.committed().position < target) {
        if (options_.stop.stop_requested()) {
            throw CancelledError("the rebuild of projection '" + shape_.name +
                                 "' was stopped: call it again to go on");
        }
        switch (feed.step(read, target)) {
            case ModelFeed::Step::advanced: break;
            case ModelFeed::Step::waiting: sleep_until(feed.retry_at(), options_.stop); break;
            case ModelFeed::Step::halted:
                throw InvalidError(feed.failure_text() +
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
    store_.transact([&](Transaction& tx) {
        Registry registry{tx.sql(), store_.engine().clock()};
        if (!registry.is_ours(claim_)) fail_taken_over();
        const Position head = tx.head();
        const ModelFeed::ReadPage read = [&](const PageRequest& request, EventPage& page) {
            tx.read_page(request, page);
        };
        while (feed.committed().position < head) {
            const auto step = feed.step(read, head);
            // A failing event is dealt with outside, where appends need not wait for it.
            if (step == ModelFeed::Step::waiting || step == ModelFeed::Step::halted) return;
        }
        replaced_ = registry.find(shape_.name).value();
        install(tx.sql(), build);
        tell(RebuildPhase::swapping, head, head);
        swapped = true;
    });
    return swapped;
}

void Rebuild::install(Sql& sql, ReadModelDatabase& build) {
    if (replaced_.lifecycle == Lifecycle::in_line) {
        uninstall(sql, shape_.name, replaced_.relations);
    }
    std::vector<std::string> relations;
    if (claim_.lifecycle == Lifecycle::in_line) {
        relations = install_copy(sql, shape_, build.sql());
    }
    Registry{sql, store_.engine().clock()}.put_in_service(claim_, relations);
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
            ours = Registry{tx.sql(), store_.engine().clock()}.report(claim_, position, target);
        });
    } catch (const Error& error) {
        // The store is busy: the next sign of life is soon enough.
        if (!is_environment(error)) throw;
    }
    if (!ours) fail_taken_over();
}

void Rebuild::leave(const std::string& error) noexcept {
    try {
        store_.transact([&](Transaction& tx) {
            Registry{tx.sql(), store_.engine().clock()}.leave(claim_, error);
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
