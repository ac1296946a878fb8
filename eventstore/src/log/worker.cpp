#include "daybook/eventstore/worker.hpp"

#include <condition_variable>
#include <limits>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "daybook/core/clock.hpp"
#include "daybook/core/error.hpp"

namespace daybook {

namespace {

using std::chrono::steady_clock;

/// How often an error that is not transient is looked at.
constexpr int looks_max = 3;
/// An error after so long a step is a first one.
constexpr std::chrono::minutes calm{1};

}  // namespace

struct Worker::State {
    State(EventStore opened, WorkerOptions chosen)
        : store(std::move(opened)), options(std::move(chosen)) {}

    void run(const Step& step, const std::stop_token& stop) noexcept;
    /// False if there is to be no further one.
    bool run_once(const Step& step, const std::stop_token& stop);
    void has_got_on() noexcept;
    bool is_final(const std::exception_ptr& error);
    void wait_out(const std::exception_ptr& error, const std::stop_token& stop);
    void end(const std::exception_ptr& error);

    EventStore store;
    const WorkerOptions options;

    std::mutex mutex;  ///< held by who starts, and by who waits for the end
    std::thread thread;
    std::mutex stop_mutex;
    std::stop_source stop_source;  ///< under stop_mutex: of the newest thread

    // Of the thread alone.
    std::string said;  ///< what is waited for; empty: nothing
    int failures = 0;  ///< in a row
    int looks = 0;     ///< in a row that did not look as if they would pass

    /// The one whose step this thread is at.
    static thread_local const State* running;
};

thread_local const Worker::State* Worker::State::running = nullptr;

void Worker::State::run(const Step& step, const std::stop_token& stop) noexcept {
    running = this;
    while (!stop.stop_requested()) {
        try {
            if (!run_once(step, stop)) return;
        } catch (...) {
            // What shows or logs an error has thrown another, or there is no memory for it.
            sleep_until(deadline_after(options.retry.delay(1)), stop);
        }
    }
    if (options.on_stop) options.on_stop();
}

bool Worker::State::run_once(const Step& step, const std::stop_token& stop) {
    const auto begun = steady_clock::now();
    std::exception_ptr error;
    bool failed = false;
    try {
        // Taken before looking for work, so that no commit is slept through.
        const std::uint64_t commits = store.commits();
        const NextStep next = step(stop);
        failed = next.error_ != nullptr;
        error = next.error_;
        if (!failed) {
            has_got_on();
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
    if (steady_clock::now() - begun > calm) failures = looks = 0;
    if (failed || is_final(error)) {
        end(error);
        return false;
    }
    if (!stop.stop_requested()) wait_out(error, stop);
    return true;
}

void Worker::State::has_got_on() noexcept {
    failures = looks = 0;
    if (said.empty()) return;
    said.clear();
    try {
        store.log(LogLevel::info, options.name + " goes on");
    } catch (const std::bad_alloc&) {
        // It goes on all the same.
    }
}

bool Worker::State::is_final(const std::exception_ptr& error) {
    looks = is_transient(error) ? 0 : looks + 1;
    return options.may_fail && looks >= looks_max;
}

void Worker::State::wait_out(const std::exception_ptr& error, const std::stop_token& stop) {
    // Said before it is shown: who sees that it waits finds the reason in the log.
    std::string text = error_text(error);
    if (text != said) {
        said = std::move(text);
        store.log(LogLevel::warning, options.name + " waits: " + said);
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
    // A first step may come here before `start` has kept the thread: it still holds the mutex then.
    const std::scoped_lock lock{state_->mutex};
    state_->thread.detach();
}

void Worker::start(Step step) {
    const std::scoped_lock lock{state_->mutex};
    if (state_->thread.joinable()) return;
    std::stop_token stop;
    {
        // Before the thread begins: its first step may stop it.
        const std::scoped_lock stop_lock{state_->stop_mutex};
        state_->stop_source = {};
        stop = state_->stop_source.get_token();
    }
    // The thread keeps the state: a step may destroy the worker.
    state_->thread = std::thread{[state = state_, step = std::move(step), stop = std::move(stop)] {
        state->run(step, stop);
    }};
}

bool Worker::is_started() const noexcept {
    const std::scoped_lock lock{state_->mutex};
    return state_->thread.joinable();
}

void Worker::request_stop() noexcept {
    const std::scoped_lock lock{state_->stop_mutex};
    state_->stop_source.request_stop();
}

void Worker::stop() noexcept {
    request_stop();
    if (State::running == state_.get()) return;
    const std::scoped_lock lock{state_->mutex};
    if (state_->thread.joinable()) state_->thread.join();
}

void Worker::has_got_on() noexcept { state_->has_got_on(); }

void sleep_until(steady_clock::time_point when, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_until(lock, stop, when, [] { return false; });
}

}  // namespace daybook
