#include "daybook/eventstore/worker.hpp"

#include <limits>
#include <new>
#include <thread>
#include <utility>

#include "daybook/core/clock.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"

namespace daybook {

namespace {

using std::chrono::steady_clock;

/// How many errors in a row that are not transient end a worker.
constexpr int lasting_errors_max = 3;
/// After a step of this length, earlier errors no longer count.
constexpr std::chrono::minutes calm_time{1};

}  // namespace

struct Worker::State {
    State(EventStore event_store, WorkerOptions worker_options)
        : store(std::move(event_store)), options(std::move(worker_options)) {}

    void run(const Step& step, const std::stop_token& stop) noexcept;
    /// Runs the step once. False if it was the last time.
    bool run_once(const Step& step, const std::stop_token& stop);
    void note_progress() noexcept;
    bool is_last_attempt(const std::exception_ptr& error);
    void wait_after(const std::exception_ptr& error, const std::stop_token& stop);
    void end(const std::exception_ptr& error);

    EventStore store;
    const WorkerOptions options;

    Mutex mutex;  ///< held by who starts, and by who waits for the end
    std::thread thread DAYBOOK_GUARDED_BY(mutex);
    Mutex stop_mutex;
    std::stop_source stop_source DAYBOOK_GUARDED_BY(stop_mutex);  ///< of the newest thread

    // Used by the thread alone.
    std::string logged_error;  ///< the error of the outage that lasts; empty if there is none
    int failures = 0;          ///< in a row
    int lasting_errors = 0;    ///< in a row that are not transient

    /// The worker whose step runs on this thread; null if none.
    static thread_local const State* running;
};

thread_local const Worker::State* Worker::State::running = nullptr;

void Worker::State::run(const Step& step, const std::stop_token& stop) noexcept {
    running = this;
    while (!stop.stop_requested()) {
        try {
            if (!run_once(step, stop)) return;
        } catch (...) {
            // A callback or the logging of the error has thrown, or there is no memory.
            sleep_until(deadline_after(options.retry.delay(1)), stop);
        }
    }
    if (options.on_stop) options.on_stop();
}

bool Worker::State::run_once(const Step& step, const std::stop_token& stop) {
    const auto started_at = steady_clock::now();
    std::exception_ptr error;
    bool failed = false;
    try {
        // The count is taken before the step reads the store. Otherwise a commit between the two
        // would not end the wait.
        const std::uint64_t commits = store.commits();
        const NextStep next = step(stop);
        failed = next.error_ != nullptr;
        error = next.error_;
        if (!failed) {
            note_progress();
            if (next.at_least_ > next.at_least_.zero()) {
                sleep_until(deadline_after(next.at_least_), stop);
            }
            if (next.at_most_ > next.at_most_.zero()) {
                store.wait_for_commit(commits, next.at_most_, stop);
            }
        }
    } catch (...) {
        error = std::current_exception();
    }
    if (!error) return true;
    if (steady_clock::now() - started_at > calm_time) failures = lasting_errors = 0;
    if (failed || is_last_attempt(error)) {
        end(error);
        return false;
    }
    if (!stop.stop_requested()) wait_after(error, stop);
    return true;
}

void Worker::State::note_progress() noexcept {
    failures = lasting_errors = 0;
    if (logged_error.empty()) return;
    logged_error.clear();
    try {
        store.log(LogLevel::info, options.name + " goes on");
    } catch (const std::bad_alloc&) {
        // There is no memory for the line in the log; the worker goes on without it.
    }
}

bool Worker::State::is_last_attempt(const std::exception_ptr& error) {
    lasting_errors = is_transient(error) ? 0 : lasting_errors + 1;
    return options.may_fail && lasting_errors >= lasting_errors_max;
}

void Worker::State::wait_after(const std::exception_ptr& error, const std::stop_token& stop) {
    // Logged before the callback: a caller that sees the state `waiting` finds the reason in the
    // log.
    std::string text = error_text(error);
    if (text != logged_error) {
        logged_error = std::move(text);
        store.log(LogLevel::warning, options.name + " waits: " + logged_error);
    }
    if (options.on_wait) options.on_wait(error);
    if (failures < std::numeric_limits<int>::max()) ++failures;
    sleep_until(deadline_after(options.retry.delay(failures)), stop);
}

void Worker::State::end(const std::exception_ptr& error) {
    store.log(LogLevel::error, options.name + " has ended: " + error_text(error));
    if (options.on_failure) options.on_failure(error);
}

Worker::Worker(EventStore store, WorkerOptions options)
    : state_(std::make_shared<State>(std::move(store), std::move(options))) {}

Worker::~Worker() {
    stop();
    if (State::running != state_.get()) return;
    // The first step may get here before `start` has assigned `thread`. `start` still holds the
    // mutex then.
    const MutexLock lock{state_->mutex};
    state_->thread.detach();
}

void Worker::start(Step step) {
    const MutexLock lock{state_->mutex};
    if (state_->thread.joinable()) return;
    std::stop_token stop;
    {
        // Set before the thread starts, because its first step may stop the worker.
        const MutexLock stop_lock{state_->stop_mutex};
        state_->stop_source = {};
        stop = state_->stop_source.get_token();
    }
    // The thread shares the state, because a step may destroy the worker.
    state_->thread = std::thread{[state = state_, step = std::move(step), stop = std::move(stop)] {
        state->run(step, stop);
    }};
}

bool Worker::is_started() const noexcept {
    const MutexLock lock{state_->mutex};
    return state_->thread.joinable();
}

void Worker::request_stop() noexcept {
    const MutexLock lock{state_->stop_mutex};
    state_->stop_source.request_stop();
}

void Worker::stop() noexcept {
    request_stop();
    if (State::running == state_.get()) return;
    const MutexLock lock{state_->mutex};
    if (state_->thread.joinable()) state_->thread.join();
}

void Worker::note_progress() noexcept { state_->note_progress(); }

void sleep_until(steady_clock::time_point when, const std::stop_token& stop) {
    Mutex mutex;
    StoppableCondition never;
    MutexLock lock{mutex};
    while (!stop.stop_requested() && steady_clock::now() < when) {
        never.wait_until(lock, stop, when);
    }
}

}  // namespace daybook
