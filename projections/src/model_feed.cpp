#include "model_feed.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"

namespace daybook::detail {

using std::chrono::steady_clock;

ModelFeed::ModelFeed(const ProjectionDefinition& definition, const ErrorPolicy& errors,
                     ReadModelDatabase& database, const Clock& clock, FeedLimits limits,
                     std::optional<std::int64_t> epoch, Home home)
    : errors_(errors),
      database_(database),
      clock_(clock),
      limits_(limits),
      epoch_(epoch),
      home_(home),
      applier_(definition, limits.memory),
      filter_{.types = definition.shape().events} {}

ModelFeed::Step ModelFeed::step(LogSource& log, Position upto) {
    const Position wanted = upto;
    const bool stands_alone = failure_ && failure_->event.position == book_.position.next();
    if (stands_alone) {
        if (errors_.retry.exhausted(failure_->event.attempts)) return settle(log);
        if (steady_clock::now() < failure_->retry_at) return Step::waiting;
        upto = std::min(upto, failure_->event.position);
    }
    upto = std::min(upto, bound_);
    if (book_.position >= upto) {
        return commit() && book_.position >= wanted ? Step::idle : Step::advanced;
    }
    try {
        log.read({.from = book_.position.next().value(),
                  .filter = &filter_,
                  .events_max = limits_.page_events_max},
                 page_);
        if (page_.scanned_to <= book_.position) {
            require_fit(log);
            return commit() ? Step::idle : Step::advanced;
        }
        if (apply_page(log, upto) && (commit_is_due() || book_.position >= upto)) commit();
    } catch (...) {
        rollback();
        throw;
    }
    return Step::advanced;
}

bool ModelFeed::apply_page(LogSource& log, Position upto) {
    const EventId last = event_at(log, std::min(upto, page_.scanned_to));
    if (!begin()) return false;
    auto failed = applier_.apply(page_, upto, book_, database_.sql(), clock_.now());
    if (failed) {
        rollback();
        note(std::move(*failed));
        return false;
    }
    book_.event = last;
    return true;
}

EventId ModelFeed::event_at(LogSource& log, Position next) const {
    if (home_ == Home::store) return {};
    const LogPlaces places = log.places(committed_.position, next);
    ledger().require_fit(committed_, places.store, places.first);
    return places.second;
}

bool ModelFeed::begin() {
    if (open_) return true;
    database_.begin();
    open_ = true;
    opened_at_ = steady_clock::now();
    const Checkpoint found = load();
    const bool moved = found.position != committed_.position || found.event != committed_.event ||
                       found.store != committed_.store;
    committed_ = book_ = found;
    if (!moved) return true;
    rollback();
    if (failure_ && failure_->event.position <= found.position) failure_.reset();
    bound_ = no_bound;
    return false;
}

Checkpoint ModelFeed::load() {
    const std::string& name = applier_.shape().name;
    const auto found = ledger().load();
    if (!found) {
        throw CorruptError("projection '" + name +
                           "': its model has lost its checkpoint: rebuild it");
    }
    if (epoch_ && found->epoch != *epoch_) {
        throw UnavailableError("the rebuild of projection '" + name +
                               "' was taken over by somebody else: leave it to them");
    }
    return *found;
}

void ModelFeed::reload() {
    rollback();
    applier_.forget();
    committed_ = book_ = load();
    failure_.reset();
    bound_ = no_bound;
}

bool ModelFeed::commit_is_due() const {
    if (applier_.fold().full()) return true;
    const bool many = book_.position.value() - committed_.position.value() >= limits_.commit_events;
    if (many && !applier_.fold().gathers()) return true;
    return steady_clock::now() - opened_at_ >= bounded_wait(limits_.commit_interval);
}

bool ModelFeed::commit() {
    if (!open_) return true;
    try {
        if (auto error = applier_.flush(database_.sql())) {
            flush_failed(std::move(*error));
            return false;
        }
        ledger().advance(committed_, book_);
        database_.commit();
    } catch (...) {
        rollback();
        throw;
    }
    open_ = false;
    applied_ += book_.applied - committed_.applied;
    committed_ = book_;
    if (committed_.position >= bound_) bound_ = no_bound;
    if (failure_ && failure_->event.position <= committed_.position) failure_.reset();
    return true;
}

void ModelFeed::rollback() noexcept {
    if (!open_) return;
    database_.rollback();
    open_ = false;
    book_ = committed_;
    applier_.forget();
}

void ModelFeed::note(FailedEvent event) {
    if (failure_ && failure_->event.position == event.position) {
        event.attempts = failure_->event.attempts;
    }
    ++event.attempts;
    const auto wait = errors_.retry.exhausted(event.attempts) ? Backoff::Duration{0}
                                                              : errors_.retry.delay(event.attempts);
    const Position before{event.position.value() - 1};
    bound_ = before > committed_.position ? before : no_bound;
    failure_ = Failure{std::move(event), steady_clock::now() + wait};
}

void ModelFeed::flush_failed(std::string error) {
    const std::uint64_t first = committed_.position.value() + 1;
    const std::uint64_t last = book_.position.value();
    rollback();
    if (first < last) {
        // Which event made the row that cannot be written shows when it stands alone.
        bound_ = Position{first + (last - first) / 2};
        return;
    }
    FailedEvent event{Position{first}, {}, {}, std::move(error)};
    for (const EventRow& row : page_.rows) {
        if (row.position != event.position) continue;
        event.key = row.stream;
        event.type = row.type->name;
    }
    note(std::move(event));
}

ModelFeed::Step ModelFeed::settle(LogSource& log) {
    if (errors_.then == OnFailure::halt) return Step::halted;
    commit();
    const EventId event = event_at(log, committed_.position.next());
    if (!begin()) return Step::advanced;
    try {
        const bool park = errors_.then == OnFailure::park;
        ledger().set_aside(failure_->event, park, clock_.now());
        book_.position = book_.position.next();
        book_.event = event;
        ++(park ? book_.parked : book_.skipped);
        commit();
    } catch (...) {
        rollback();
        throw;
    }
    return Step::advanced;
}

std::string ModelFeed::failure_text() const {
    if (!failure_) return {};
    const FailedEvent& event = failure_->event;
    return "projection '" + applier_.shape().name + "': event " +
           std::to_string(event.position.value()) + " '" + event.type + "' of stream '" +
           event.key + "' failed " + std::to_string(event.attempts) + " time(s): " + event.error;
}

steady_clock::time_point ModelFeed::retry_at() const noexcept {
    return failure_ ? failure_->retry_at : steady_clock::time_point{};
}

}  // namespace daybook::detail
