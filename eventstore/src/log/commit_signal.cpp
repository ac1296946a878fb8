#include "log/commit_signal.hpp"

#include <algorithm>
#include <exception>

#include "daybook/core/clock.hpp"

namespace daybook {

namespace {

/// Counts a waiting thread while it lives.
class Waiting {
public:
    explicit Waiting(std::atomic<int>& count) noexcept : count_(count) { count_.fetch_add(1); }
    ~Waiting() { count_.fetch_sub(1); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

private:
    std::atomic<int>& count_;
};

}  // namespace

CommitSignal::CommitSignal(std::function<std::uint64_t()> foreign_token)
    : foreign_token_(std::move(foreign_token)), token_(foreign_token_()) {}

void CommitSignal::notify() noexcept {
    // The order matters: the waiter counts itself and then reads `count_`, this side adds to
    // `count_` and then reads `waiters_`, all sequentially consistent. So either the waiter sees
    // the new count or this side sees the waiter; with a weaker order the wake-up could be lost.
    count_.fetch_add(1);
    if (waiters_.load() == 0) return;
    { const MutexLock lock{mutex_}; }
    changed_.notify_all();
}

void CommitSignal::wait(std::uint64_t seen, std::chrono::milliseconds timeout,
                        const std::stop_token& stop) {
    using SteadyClock = std::chrono::steady_clock;
    const auto deadline = deadline_after(timeout);
    const Waiting waiting{waiters_};
    while (count_.load() == seen && !stop.stop_requested()) {
        const auto now = SteadyClock::now();
        if (now >= deadline) break;
        const auto until = std::min<SteadyClock::time_point>(now + poll, deadline);
        {
            MutexLock lock{mutex_};
            while (count_.load() == seen &&
                   changed_.wait_until(lock, until) == std::cv_status::no_timeout) {}
        }
        if (count_.load() == seen) poll_other_processes();
    }
}

void CommitSignal::poll_other_processes() {
    std::uint64_t token = 0;
    try {
        token = foreign_token_();
    } catch (const std::exception&) {
        // The waiting thread has to wake up, read the store and meet the same error, which it
        // handles.
        count_.fetch_add(1);
        return;
    }
    {
        const MutexLock lock{mutex_};
        if (token == token_) return;
        token_ = token;
        count_.fetch_add(1);
    }
    changed_.notify_all();
}

}  // namespace daybook
