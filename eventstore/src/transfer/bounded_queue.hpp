#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <stop_token>
#include <utility>
#include <vector>

#include "daybook/core/mutex.hpp"

namespace daybook::detail {

/// A queue of limited size between two stages; a stage that pushes waits while it is full. So the
/// memory between the stages is limited. Thread-safe. `T::bytes()` is the size of an item; an item
/// that is larger than the limit is accepted when the queue is empty.
template <class T>
class BoundedQueue {
public:
    struct Size {
        std::size_t items = 0;
        std::size_t bytes = 0;
    };

    explicit BoundedQueue(Size max) noexcept : max_(max) {}

    /// Moves all items into the queue, waiting for room. False if `stop` was requested before.
    bool push(std::vector<T>& items, const std::stop_token& stop) {
        return push(items, stop, std::chrono::hours{24}, [] {});
    }

    /// The same, and calls `meanwhile` at each interval `every` while it waits.
    template <class Meanwhile>
    bool push(std::vector<T>& items, const std::stop_token& stop, std::chrono::milliseconds every,
              const Meanwhile& meanwhile) {
        std::size_t next = 0;
        while (next < items.size()) {
            auto call_at = SteadyClock::now() + every;
            MutexLock lock{mutex_};
            while (!fits(items[next].bytes())) {
                if (stop.stop_requested()) return false;
                if (SteadyClock::now() < call_at) {
                    changed_.wait_until(lock, stop, call_at);
                    continue;
                }
                lock.unlock();
                meanwhile();
                lock.lock();
                call_at = SteadyClock::now() + every;
            }
            while (next < items.size() && fits(items[next].bytes())) {
                const std::size_t bytes = items[next].bytes();
                items_.push_back(std::move(items[next++]));
                bytes_ += bytes;
            }
            peak_ = {std::max(peak_.items, items_.size()), std::max(peak_.bytes, bytes_)};
            changed_.notify_all();
        }
        items.clear();
        return true;
    }

    /// Replaces `items` by the next ones, at most `items_max`, and waits for the first. False if
    /// `stop` was requested before, or the queue is closed and empty.
    bool pop(std::vector<T>& items, std::size_t items_max, const std::stop_token& stop) {
        items.clear();
        MutexLock lock{mutex_};
        while (!closed_ && items_.empty() && !stop.stop_requested()) changed_.wait(lock, stop);
        if (stop.stop_requested()) return false;
        while (!items_.empty() && items.size() < items_max) {
            bytes_ -= items_.front().bytes();
            items.push_back(std::move(items_.front()));
            items_.pop_front();
        }
        changed_.notify_all();
        return !items.empty();
    }

    /// Called by the pushing stage after its last item.
    void close() {
        const MutexLock lock{mutex_};
        closed_ = true;
        changed_.notify_all();
    }

    /// The most that it has held.
    Size peak() const {
        const MutexLock lock{mutex_};
        return peak_;
    }

private:
    using SteadyClock = std::chrono::steady_clock;

    bool fits(std::size_t bytes) const noexcept DAYBOOK_REQUIRES(mutex_) {
        if (items_.empty()) return true;
        return items_.size() < max_.items && bytes_ + bytes <= max_.bytes;
    }

    const Size max_;
    mutable Mutex mutex_;
    StoppableCondition changed_;
    std::deque<T> items_ DAYBOOK_GUARDED_BY(mutex_);
    std::size_t bytes_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    Size peak_ DAYBOOK_GUARDED_BY(mutex_);
    bool closed_ DAYBOOK_GUARDED_BY(mutex_) = false;
};

}  // namespace daybook::detail
