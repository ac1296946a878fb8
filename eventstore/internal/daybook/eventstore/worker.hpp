#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_store.hpp"

// How Daybook's own threads work on a store: they run, wait for commits or for a time, back off,
// and stop.

namespace daybook {

/// What a worker does after a step.
class NextStep {
public:
    using Milliseconds = std::chrono::milliseconds;

    /// Goes on at once: there may be more to do.
    static NextStep now() noexcept { return NextStep{{}, {}}; }
    /// Waits until somebody has committed since the step began, or for `at_most`; for `at_least` in
    /// any case.
    static NextStep after_commit(Milliseconds at_most, Milliseconds at_least = {}) noexcept {
        return NextStep{at_least, at_most};
    }
    /// Waits, whoever commits.
    static NextStep after(Milliseconds wait) noexcept { return NextStep{wait, {}}; }
    /// The worker ends: there is no going on after this error.
    static NextStep never(std::exception_ptr error) noexcept {
        NextStep next{{}, {}};
        next.error_ = std::move(error);
        return next;
    }

private:
    friend class Worker;
    NextStep(Milliseconds at_least, Milliseconds at_most) noexcept
        : at_least_(at_least), at_most_(at_most) {}

    Milliseconds at_least_;
    Milliseconds at_most_;  ///< for a commit, after `at_least_`
    std::exception_ptr error_;
};

struct WorkerOptions {
    /// For the log: `relay 'r1'`.
    std::string name;
    /// The waits after a step that has thrown, growing with each in a row. Its `attempts` is not
    /// looked at.
    Backoff retry;
    /// What is not transient (see `is_transient`) gets a second look and a third, as one read may
    /// fail where the next is right; if it comes each time, the worker ends. Otherwise everything
    /// is waited out.
    bool may_fail = false;
    /// Shows what is waited for. The log has the reason already.
    std::function<void(const std::exception_ptr& error)> on_wait{};
    /// Shows what has ended the worker. The log has the reason already.
    std::function<void(const std::exception_ptr& error)> on_failure{};
    /// Shows that it was stopped.
    std::function<void()> on_stop{};
};

/// A thread that takes one step after another until it is stopped. A step that throws is taken
/// again after a wait; an outage of hours is one line in the log, not one for each attempt. Nothing
/// leaves the thread.
///
///     Worker worker{store, {.name = "relay 'r1'", .retry = every(500ms)}};
///     worker.start([this](const std::stop_token& stop) {
///         return deliver(stop) > 0 ? NextStep::now() : NextStep::after_commit(1s);
///     });
///
/// Thread-safe. A step may stop or destroy its worker; it is the last one then.
class Worker {
public:
    using Step = std::function<NextStep(const std::stop_token& stop)>;

    Worker(EventStore store, WorkerOptions options);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// The thread keeps `step` for as long as it runs. Nothing happens if it was started and not
    /// stopped since.
    void start(Step step);
    /// It was started and not stopped since, even if it has ended by itself.
    bool is_started() const noexcept;
    /// What `stop` begins with, for who has several to stop.
    void request_stop() noexcept;
    /// Returns when the last step has ended, unless that is where it is called. Nothing happens if
    /// it does not run.
    void stop() noexcept;
    /// Called by a step that has got on though it may throw yet: an error after this is a first
    /// one. So is one after a minute of work.
    void has_got_on() noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Sleeps until then or until `stop`.
void sleep_until(std::chrono::steady_clock::time_point when, const std::stop_token& stop);

}  // namespace daybook
