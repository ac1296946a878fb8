#include "daybook/messaging/relay.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <unistd.h>

#include "failure.hpp"
#include "relay_pass.hpp"
#include "statements.hpp"

namespace daybook {
namespace {

using std::chrono::milliseconds;

/// A clock that is set, and a lease that another relay has left, tell nobody: look now and then.
constexpr milliseconds look_again_max{1'000};
constexpr milliseconds look_again_virtual{50};
constexpr milliseconds after_error{500};

std::string unique_name() {
    char host[256] = "host";
    ::gethostname(host, sizeof host - 1);
    return std::string(host) + ':' + std::to_string(::getpid()) + ':' +
           EventId::generate().to_string();
}

RelayOptions checked(RelayOptions options) {
    const auto refuse = [](const std::string& why) { throw InvalidError("RelayOptions: " + why); };
    if (options.batch_max == 0) refuse("batch_max must be at least 1");
    if (options.lease <= milliseconds::zero()) refuse("lease must be longer than 0");
    if (options.down_pause < milliseconds::zero()) refuse("down_pause must not be negative");
    if (options.retry.attempts_max() < 1) refuse("retry must allow at least one attempt");
    if (options.name.empty()) options.name = unique_name();
    return options;
}

}  // namespace

struct Relay::State {
    // Constant after construction.
    EventStore store;
    const RelayOptions options;

    // Of whoever runs: the thread, or the caller of run_once.
    detail::RelayPass pass;

    // Under the mutex: what others may read.
    mutable std::mutex mutex{};
    std::string error{};
    std::optional<Timestamp> rests_until{};

    std::jthread thread{};

    State(EventStore opened, Transport& transport, RelayOptions given)
        : store(std::move(opened)),
          options(checked(std::move(given))),
          pass(store, transport, options) {}

    std::size_t run_once(std::stop_token stop);
    std::optional<Timestamp> next_due() const;
    void work(std::stop_token stop);
    milliseconds pause() const;
    void release() noexcept;
};

std::size_t Relay::State::run_once(std::stop_token stop) {
    try {
        const std::size_t ended = pass.run(std::move(stop));
        const auto& rest = pass.rest();
        const std::scoped_lock lock{mutex};
        error = rest ? rest->error : std::string{};
        rests_until = rest ? std::optional{rest->until} : std::nullopt;
        return ended;
    } catch (...) {
        const std::scoped_lock lock{mutex};
        error = detail::error_chain(std::current_exception());
        throw;
    }
}

std::optional<Timestamp> Relay::State::next_due() const {
    std::optional<Timestamp> due;
    store.query([&](Sql& db) {
        const auto take = [&](const SqlRow& row) {
            if (row.is_null(0) || row.integer(0) == detail::sql::blocked) return;
            due = due ? std::min(*due, row.timestamp(0)) : row.timestamp(0);
        };
        db.each(detail::sql::outbox_next_wait, take);
        // Ready is ready, even if it was published before the clock was set back.
        if (db.each(detail::sql::outbox_first_ready, take) > 0) {
            due = std::min(*due, store.clock().now());
        }
    });
    const std::scoped_lock lock{mutex};
    if (due && rests_until) due = std::max(*due, *rests_until);
    return due;
}

milliseconds Relay::State::pause() const {
    const bool is_virtual = store.options().clock != nullptr;
    milliseconds longest = is_virtual ? look_again_virtual : look_again_max;
    // What is ready and was not delivered belongs to another relay, whose lease may run out.
    const milliseconds shortest = std::clamp(options.lease / 4, milliseconds{1}, longest);
    if (pass.has_to_release()) longest = std::min(longest, shortest * 2);
    const auto due = next_due();
    if (!due) return longest;
    const Timestamp now = store.clock().now();
    if (*due <= now) return shortest;
    return std::min(longest, std::chrono::ceil<milliseconds>(*due - now));
}

void Relay::State::work(std::stop_token stop) {
    std::mutex sleeping;
    std::condition_variable_any wake;
    auto busy_until = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        try {
            const std::uint64_t seen = store.commits();
            const bool had_leases = pass.has_to_release();
            const std::size_t ended = run_once(stop);
            // What was just taken is kept for a while: others may have work that looks like ours.
            if (ended > 0 || (!had_leases && pass.has_to_release())) {
                busy_until = std::chrono::steady_clock::now() + options.lease / 2;
            }
            if (ended > 0) continue;
            if (pass.has_to_release() && std::chrono::steady_clock::now() > busy_until) {
                pass.release();
                continue;
            }
            store.wait_for_commit(seen, pause(), stop);
        } catch (...) {
            store.log(LogLevel::error, "relay '" + options.name +
                                           "' does not get on and tries again: " +
                                           detail::error_chain(std::current_exception()));
            std::unique_lock lock{sleeping};
            wake.wait_for(lock, stop, after_error, [] { return false; });
        }
    }
}

void Relay::State::release() noexcept {
    try {
        pass.release();
    } catch (...) {
        // The leases run out by themselves.
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
    if (state_->thread.joinable()) return;
    state_->thread = std::jthread(
        [state = state_.get()](std::stop_token stop) { state->work(std::move(stop)); });
}

void Relay::stop() {
    if (!state_->thread.joinable()) return;
    state_->thread.request_stop();
    state_->thread.join();
    state_->release();
}

std::string Relay::last_error() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->error;
}

}  // namespace daybook
