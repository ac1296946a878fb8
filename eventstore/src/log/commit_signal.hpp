#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "daybook/core/mutex.hpp"

namespace daybook {

/// Wakes threads that wait for a commit: at once after a commit of this process, within `poll`
/// after one of another process, for which the engine is polled. Thread-safe.
class CommitSignal {
public:
    /// `foreign_token` returns another value after another process has committed. If it throws,
    /// that counts as a commit: the waiting threads then read the store and meet the error
    /// themselves.
    explicit CommitSignal(std::function<std::uint64_t()> foreign_token);

    /// Called after a commit of this process. Costs one atomic addition while no thread waits.
    void notify() noexcept;
    /// Grows with each commit.
    std::uint64_t count() const noexcept { return count_.load(); }
    /// Returns once `count()` is no longer `seen`, or at the timeout or stop.
    void wait(std::uint64_t seen, std::chrono::milliseconds timeout, const std::stop_token& stop);

private:
    static constexpr std::chrono::milliseconds poll{5};

    void poll_other_processes();

    const std::function<std::uint64_t()> foreign_token_;
    std::atomic<std::uint64_t> count_{0};
    std::atomic<int> waiters_{0};
    Mutex mutex_;
    ConditionVariable changed_;
    std::uint64_t token_ DAYBOOK_GUARDED_BY(mutex_);
};

}  // namespace daybook
