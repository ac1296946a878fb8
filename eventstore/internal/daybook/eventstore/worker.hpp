#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_store.hpp"

// The threads of subscriptions, relays, sagas and mirrors: they run steps, wait for commits or for
// a time, back off after errors, and stop.

namespace daybook {

/// What a worker does after a step.
class NextStep {
public:
    using Milliseconds = std::chrono::milliseconds;

    /// Takes the next step at once: there may be more to do.
    static NextStep now() noexcept { return NextStep{{}, {}}; }
    /// Waits until there is a commit that came after the start of this step, or for `at_most`.
    /// Waits for `at_least` in any case.
    static NextStep after_commit(Milliseconds at_most, Milliseconds at_least = {}) noexcept {
        return NextStep{at_least, at_most};
    }
    /// Waits for a time; commits do not end the wait.
    static NextStep after(Milliseconds wait) noexcept { return NextStep{wait, {}}; }
    /// Ends the worker with this error.
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
    Milliseconds at_most_;  ///< to wait for a commit, after `at_least_`
    std::exception_ptr error_;
};

struct WorkerOptions {
    /// How the log names it: `relay 'r1'`.
    std::string name;
    /// The waits after steps that throw, longer after each in a row. Its `attempts` has no effect.
    Backoff retry;
    /// If true, the worker ends after the third error in a row that is not transient (see
    /// `is_transient`). One such error may come from a single failed read, so the step is tried
    /// again first. If false, the worker never ends by itself, whatever a step throws.
    bool may_fail = false;
    /// Called before each wait after an error, which is in the log already.
    std::function<void(const std::exception_ptr& error)> on_wait{};
    /// Called when an error has ended the worker. It is in the log already.
    std::function<void(const std::exception_ptr& error)> on_failure{};
    /// Called when the worker was stopped.
    std::function<void()> on_stop{};
};

/// A thread that runs a step again and again until it is stopped. A step that throws is run again
/// after a wait. An outage of hours is one line in the log, not one for each attempt. No exception
/// leaves the thread.
///
///     Worker worker{store, {.name = "relay 'r1'", .retry = every(500ms)}};
///     worker.start([this](const std::stop_token& stop) {
///         return deliver(stop) > 0 ? NextStep::now() : NextStep::after_commit(1s);
///     });
///
/// Thread-safe. A step may stop or destroy its worker and is the last step then.
class Worker {
public:
    using Step = std::function<NextStep(const std::stop_token& stop)>;

    Worker(EventStore store, WorkerOptions options);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Starts the thread, which owns `step`. Does nothing if it was started and not stopped since.
    void start(Step step);
    /// True if it was started and not stopped since, even if it has ended by itself.
    bool is_started() const noexcept;
    /// Requests the stop without waiting. A caller with several workers requests all stops before
    /// it waits for the first.
    void request_stop() noexcept;
    /// Stops the worker and waits until the last step has ended; called by the step itself, it does
    /// not wait. Does nothing if the thread does not run.
    void stop() noexcept;
    /// Called by a step that has made progress although it may still throw: errors before this no
    /// longer count as errors in a row. The same holds for a step that has run for a minute.
    void note_progress() noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Sleeps until `when` or until `stop` is requested.
void sleep_until(std::chrono::steady_clock::time_point when, const std::stop_token& stop);

}  // namespace daybook
