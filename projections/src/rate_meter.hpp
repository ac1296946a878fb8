#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace daybook::detail {

/// Measures events per second over the last seconds in which there were events. Thread-safe.
class RateMeter {
public:
    void add(std::uint64_t events) {
        const std::scoped_lock lock{mutex_};
        const auto now = Clock::now();
        const Seconds passed = now - since_;
        if (count_ > 0 && passed >= window) {
            rate_ = static_cast<double>(count_) / passed.count();
            count_ = 0;
        }
        if (count_ == 0) since_ = now;
        count_ += events;
    }
    double per_second() const {
        const std::scoped_lock lock{mutex_};
        const Seconds passed = Clock::now() - since_;
        if (passed > 2 * window) return 0;
        if (rate_ > 0 || passed.count() <= 0) return rate_;
        return static_cast<double>(count_) / passed.count();
    }

private:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;
    static constexpr Seconds window{2.0};

    mutable std::mutex mutex_;
    Clock::time_point since_{};
    std::uint64_t count_ = 0;
    double rate_ = 0;
};

}  // namespace daybook::detail
