#include "daybook/messaging/relay.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "daybook/core/clock.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/message_tables.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker.hpp"
#include "daybook/eventstore/worker_name.hpp"
#include "names.hpp"
#include "relay_pass.hpp"

namespace daybook {
namespace {

using std::chrono::milliseconds;

/// A relay polls at these intervals: neither a clock that is set nor a lease that expires wakes it.
constexpr milliseconds poll_interval_max{1'000};
constexpr milliseconds poll_interval_virtual{50};
constexpr milliseconds after_error{500};

constexpr std::size_t batch_limit = 10'000;
constexpr milliseconds lease_limit = std::chrono::hours{24};

RelayOptions checked(RelayOptions options) {
    const auto refuse = [](const std::string& why) { throw InvalidError("RelayOptions: " + why); };
    if (options.batch_max == 0 || options.batch_max > batch_limit) {
        refuse("batch_max must be 1 to 10000");
    }
    if (options.lease <= milliseconds::zero() || options.lease > lease_limit) {
        refuse(
            "lease must be longer than 0, and no longer than a day: a relay that dies is "
            "replaced after it");
    }
    if (options.down_pause < milliseconds::zero()) refuse("down_pause must not be negative");
    if (options.unhandled_wait_max < milliseconds::zero()) {
        refuse("unhandled_wait_max must not be negative");
    }
    if (options.retry.attempts_max() < 1) refuse("retry must allow at least one attempt");
    if (options.name.empty()) options.name = detail::worker_name();
    detail::require_name("RelayOptions: name", options.name);
    return options;
}

}  // namespace

struct Relay::State {
    // Constant after construction.
    EventStore store;
    const RelayOptions options;

    // Used by the thread that runs: the worker's, or that of the caller of run_once.
    detail::RelayPass pass;
    std::chrono::steady_clock::time_point keep_leases_until{};

    // Other threads read it.
    mutable Mutex mutex{};
    std::string error DAYBOOK_GUARDED_BY(mutex){};
    std::optional<Timestamp> paused_until DAYBOOK_GUARDED_BY(mutex){};

    Worker worker;

    State(EventStore opened, Transport& transport, RelayOptions given)
        : store(std::move(opened)),
          options(checked(std::move(given))),
          pass(store, transport, options),
          worker(store, {.name = "relay '" + options.name + "'",
                         .retry = every(after_error),
                         .on_wait = [this](const auto& why) { set_error(error_text(why)); },
                         .on_stop = [this] { release(); }}) {}

    std::size_t run_once(std::stop_token stop);
    std::optional<Timestamp> next_due() const;
    /// Delivers; returns until when the worker may sleep.
    NextStep step(const std::stop_token& stop);
    void set_error(std::string text);
    milliseconds sleep_time() const;
    void release() noexcept;
};

std::size_t Relay::State::run_once(std::stop_token stop) {
    try {
        const std::size_t finished = pass.run(std::move(stop));
        const auto& paused = pass.pause();
        const MutexLock lock{mutex};
        error = paused ? paused->error : std::string{};
        paused_until = paused ? std::optional{paused->until} : std::nullopt;
        return finished;
    } catch (...) {
        set_error(error_text(std::current_exception()));
        throw;
    }
}

void Relay::State::set_error(std::string text) {
    const MutexLock lock{mutex};
    error = std::move(text);
}

std::optional<Timestamp> Relay::State::next_due() const {
    std::optional<Timestamp> due;
    detail::query_store(store, [&](Sql& db) {
        const auto take = [&](const SqlRow& row) {
            if (row.is_null(0) || row.integer(0) == detail::sql::blocked) return;
            due = due ? std::min(*due, row.timestamp(0)) : row.timestamp(0);
        };
        db.each(detail::sql::outbox_next_wait, take);
        // A message that is ready stays ready when the clock is set back behind its publication.
        if (db.each(detail::sql::outbox_first_ready, take) > 0) {
            due = std::min(*due, store.clock().now());
        }
    });
    const MutexLock lock{mutex};
    if (due && paused_until) due = std::max(*due, *paused_until);
    return due;
}

milliseconds Relay::State::sleep_time() const {
    const bool is_virtual = store.options().clock != nullptr;
    milliseconds longest = is_virtual ? poll_interval_virtual : poll_interval_max;
    // A message that is ready and was not delivered belongs to another relay, whose lease may
    // expire.
    const milliseconds shortest = std::clamp(options.lease / 4, milliseconds{1}, longest);
    if (pass.has_to_release()) longest = std::min(longest, shortest * 2);
    const auto due = next_due();
    if (!due) return longest;
    const Timestamp now = store.clock().now();
    if (*due <= now) return shortest;
    return std::min(longest, std::chrono::ceil<milliseconds>(saturating_difference(*due, now)));
}

NextStep Relay::State::step(const std::stop_token& stop) {
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const bool had_leases = pass.has_to_release();
    const std::size_t finished = run_once(stop);
    // Leases just acquired are kept for a while. Without this, relays whose neighbours have
    // messages would acquire and release partitions in turn.
    if (finished > 0 || (!had_leases && pass.has_to_release()))
        keep_leases_until = now() + options.lease / 2;
    if (finished > 0) return NextStep::now();
    if (pass.has_to_release() && now() > keep_leases_until) {
        pass.release();
        return NextStep::now();
    }
    return NextStep::after_commit(sleep_time());
}

void Relay::State::release() noexcept {
    try {
        pass.release();
    } catch (...) {
        // The leases expire by themselves.
    }
}

Relay::Relay(EventStore store, Transport& transport, RelayOptions options)
    : state_(std::make_unique<State>(std::move(store), transport, std::move(options))) {}

Relay::~Relay() {
    stop();
    state_->release();
}

std::size_t Relay::run_once() { return state_->run_once({}); }

std::optional<Timestamp> Relay::next_due() const { return state_->next_due(); }

void Relay::start() {
    state_->worker.start([state = state_.get()](const auto& stop) { return state->step(stop); });
}

void Relay::stop() { state_->worker.stop(); }

std::string Relay::last_error() const {
    const MutexLock lock{state_->mutex};
    return state_->error;
}

}  // namespace daybook
