#include "commit_signal.hpp"

#include <algorithm>

namespace daybook {

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
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + timeout;
    waiters_.fetch_add(1);
    while (count_.load() == seen && !stop.stop_requested()) {
        const auto now = Clock::now();
        if (now >= deadline) break;
        {
            std::unique_lock lock{mutex_};
            changed_.wait_until(lock, std::min<Clock::time_point>(now + poll, deadline),
                                [&] { return count_.load() != seen; });
        }
        if (count_.load() == seen) look_abroad();
    }
    waiters_.fetch_sub(1);
}

void CommitSignal::look_abroad() {
    const std::uint64_t token = foreign_token_();
    {
        const std::scoped_lock lock{mutex_};
        if (token == token_) return;
        token_ = token;
        count_.fetch_add(1);
    }
    changed_.notify_all();
}

}  // namespace daybook
