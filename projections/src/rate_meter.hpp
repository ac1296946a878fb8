#pragma once

#include <chrono>
#include <cstdint>

#include "daybook/core/mutex.hpp"

namespace daybook::detail {

/// Measures events per second over the last seconds in which there were events. Thread-safe.
class RateMeter {
public:
    void add(std::uint64_t events) {
        const MutexLock lock{mutex_};
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
        const MutexLock lock{mutex_};
        const Seconds passed = Clock::now() - since_;
        if (passed > 2 * window) return 0;
        if (rate_ > 0 || passed.count() <= 0) return rate_;
        return static_cast<double>(count_) / passed.count();
    }

private:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;
    static constexpr Seconds window{2.0};

    mutable Mutex mutex_;
    Clock::time_point since_ DAYBOOK_GUARDED_BY(mutex_){};
    std::uint64_t count_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    double rate_ DAYBOOK_GUARDED_BY(mutex_) = 0;
};

}  // namespace daybook::detail
