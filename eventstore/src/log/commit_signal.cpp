#include "log/commit_signal.hpp"

#include <algorithm>
#include <exception>

#include "daybook/core/clock.hpp"

namespace daybook {

namespace {

/// Counted among those who wait.
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
    // Sequentially consistent on both sides: either the waiter sees the new count, or we see it.
    count_.fetch_add(1);
    if (waiters_.load() == 0) return;
    { const std::scoped_lock lock{mutex_}; }
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
        {
            std::unique_lock lock{mutex_};
            changed_.wait_until(lock, std::min<SteadyClock::time_point>(now + poll, deadline),
                                [&] { return count_.load() != seen; });
        }
        if (count_.load() == seen) look_abroad();
    }
}

void CommitSignal::look_abroad() {
    std::uint64_t token = 0;
    try {
        token = foreign_token_();
    } catch (const std::exception&) {
        // Whoever waits shall look, meet the same error and deal with it.
        count_.fetch_add(1);
        return;
    }
    {
        const std::scoped_lock lock{mutex_};
        if (token == token_) return;
        token_ = token;
        count_.fetch_add(1);
    }
    changed_.notify_all();
}

}  // namespace daybook
