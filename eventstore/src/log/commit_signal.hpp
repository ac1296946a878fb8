#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>

namespace daybook {

/// Tells who waits that something was committed: at once for this process's own commits, within
/// `poll` for those of others, which the engine is asked for. Thread-safe.
class CommitSignal {
public:
    /// `foreign_token` changes when another process commits. When it throws, that counts as a
    /// commit: those who wait look for themselves.
    explicit CommitSignal(std::function<std::uint64_t()> foreign_token);

    /// Costs one atomic addition while nobody waits.
    void notify() noexcept;
    std::uint64_t count() const noexcept { return count_.load(); }
    void wait(std::uint64_t seen, std::chrono::milliseconds timeout, const std::stop_token& stop);

private:
    static constexpr std::chrono::milliseconds poll{5};

    void look_abroad();

    const std::function<std::uint64_t()> foreign_token_;
    std::atomic<std::uint64_t> count_{0};
    std::atomic<int> waiters_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t token_;  ///< under mutex_
};

}  // namespace daybook
