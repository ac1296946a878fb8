#include "projector.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"

namespace daybook::detail {

using std::chrono::steady_clock;

Projector::Projector(const ProjectionDefinition& definition, const ErrorPolicy& errors,
                     ReadModelDatabase& database, const Clock& clock, TransactionLimits limits,
                     std::optional<std::uint64_t> token, CheckpointLocation location)
    : errors_(errors),
      database_(database),
      clock_(clock),
      limits_(limits),
      token_(token),
      location_(location),
      applier_(definition, limits.memory),
      filter_{.types = definition.shape().events} {}

Projector::PageResult Projector::apply_page(LogSource& log, Position upto) {
    const Position target = upto;
    const bool failed_is_next = failure_ && failure_->event.position == checkpoint_.position.next();
    if (failed_is_next) {
        if (errors_.retry.exhausted(failure_->event.attempts)) return apply_error_policy(log);
        if (steady_clock::now() < failure_->retry_at) return PageResult::waiting;
        upto = std::min(upto, failure_->event.position);
    }
    upto = std::min(upto, isolate_after_);
    if (checkpoint_.position >= upto) {
        return commit() && checkpoint_.position >= target ? PageResult::idle : PageResult::advanced;
    }
    try {
        log.read({.from = checkpoint_.position.next().value(),
                  .filter = &filter_,
                  .events_max = limits_.page_events_max},
                 page_);
        if (page_.scanned_to <= checkpoint_.position) {
            require_same_log(log);
            return commit() ? PageResult::idle : PageResult::advanced;
        }
        const EventId last = event_at(log, std::min(upto, page_.scanned_to));
        if (!begin_transaction()) return PageResult::advanced;
        auto failed = applier_.apply(page_, upto, checkpoint_, database_.sql(), clock_.now());
        if (failed) {
            rollback();
            record_failure(std::move(*failed));
            return PageResult::advanced;
        }
        checkpoint_.event = last;
        if (commit_is_due() || checkpoint_.position >= upto) commit();
    } catch (...) {
        rollback();
        throw;
    }
    return PageResult::advanced;
}

EventId Projector::event_at(LogSource& log, Position next) const {
    // The checkpoint's own statements read the ids there, in the transaction of the append.
    if (location_ == CheckpointLocation::store_database) return {};
    const LogIds ids = log.ids_at(committed_.position, next);
    tables().require_same_log(committed_, ids.store, ids.first);
    return ids.second;
}

bool Projector::begin_transaction() {
    if (open_) return true;
    database_.begin();
    open_ = true;
    opened_at_ = steady_clock::now();
    const Checkpoint found = load();
    const bool moved = found.position != committed_.position || found.event != committed_.event ||
                       found.store != committed_.store;
    committed_ = checkpoint_ = found;
    if (!moved) return true;
    rollback();
    if (failure_ && failure_->event.position <= found.position) failure_.reset();
    isolate_after_ = no_limit;
    return false;
}

Checkpoint Projector::load() {
    const std::string& name = applier_.shape().name;
    const auto found = tables().load();
    if (!found) {
        throw CorruptError("projection '" + name +
                           "': its model has lost its checkpoint: rebuild it");
    }
    if (token_ && found->token != *token_) {
        throw UnavailableError("the rebuild of projection '" + name +
                               "' was taken over by somebody else: leave it to them");
    }
    return *found;
}

void Projector::reload() {
    rollback();
    applier_.forget();
    committed_ = checkpoint_ = load();
    failure_.reset();
    isolate_after_ = no_limit;
}

bool Projector::commit_is_due() const {
    if (applier_.fold().full()) return true;
    const bool many =
        checkpoint_.position.value() - committed_.position.value() >= limits_.commit_events;
    if (many && !applier_.fold().gathers()) return true;
    return steady_clock::now() - opened_at_ >= bounded_wait(limits_.commit_interval);
}

bool Projector::commit() {
    if (!open_) return true;
    try {
        if (auto error = applier_.flush(database_.sql())) {
            bisect_flush_failure(std::move(*error));
            return false;
        }
        tables().advance(committed_, checkpoint_);
        database_.commit();
    } catch (...) {
        rollback();
        throw;
    }
    open_ = false;
    applied_ += checkpoint_.applied - committed_.applied;
    committed_ = checkpoint_;
    if (committed_.position >= isolate_after_) isolate_after_ = no_limit;
    if (failure_ && failure_->event.position <= committed_.position) failure_.reset();
    return true;
}

void Projector::rollback() noexcept {
    if (!open_) return;
    database_.rollback();
    open_ = false;
    checkpoint_ = committed_;
    applier_.forget();
}

void Projector::record_failure(FailedEvent event) {
    if (failure_ && failure_->event.position == event.position) {
        event.attempts = failure_->event.attempts;
    }
    ++event.attempts;
    const auto wait = errors_.retry.exhausted(event.attempts) ? Backoff::Duration{0}
                                                              : errors_.retry.delay(event.attempts);
    const Position before{event.position.value() - 1};
    isolate_after_ = before > committed_.position ? before : no_limit;
    failure_ = Failure{std::move(event), steady_clock::now() + wait};
}

void Projector::bisect_flush_failure(std::string error) {
    const std::uint64_t first = committed_.position.value() + 1;
    const std::uint64_t last = checkpoint_.position.value();
    rollback();
    if (first < last) {
        // Halves the next transaction. Once it holds one event, that event made the bad row.
        isolate_after_ = Position{first + (last - first) / 2};
        return;
    }
    FailedEvent event{Position{first}, {}, {}, std::move(error)};
    for (const EventRow& row : page_.rows) {
        if (row.position != event.position) continue;
        event.key = row.stream;
        event.type = row.type->name;
    }
    record_failure(std::move(event));
}

Projector::PageResult Projector::apply_error_policy(LogSource& log) {
    if (errors_.then == OnFailure::halt) return PageResult::halted;
    commit();
    const EventId event = event_at(log, committed_.position.next());
    if (!begin_transaction()) return PageResult::advanced;
    try {
        const bool park = errors_.then == OnFailure::park;
        tables().set_aside(failure_->event, park, clock_.now());
        checkpoint_.position = checkpoint_.position.next();
        checkpoint_.event = event;
        ++(park ? checkpoint_.parked : checkpoint_.skipped);
        commit();
    } catch (...) {
        rollback();
        throw;
    }
    return PageResult::advanced;
}

std::string Projector::failure_text() const {
    if (!failure_) return {};
    const FailedEvent& event = failure_->event;
    return "projection '" + applier_.shape().name + "': event " +
           std::to_string(event.position.value()) + " '" + event.type + "' of stream '" +
           event.key + "' failed " + std::to_string(event.attempts) + " time(s): " + event.error;
}

steady_clock::time_point Projector::retry_at() const noexcept {
    return failure_ ? failure_->retry_at : steady_clock::time_point{};
}

}  // namespace daybook::detail
