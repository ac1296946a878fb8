#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

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
            std::unique_lock lock{mutex_};
            const auto has_room = [&] { return fits(items[next].bytes()); };
            while (!changed_.wait_for(lock, stop, every, has_room)) {
                if (stop.stop_requested()) return false;
                lock.unlock();
                meanwhile();
                lock.lock();
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
        std::unique_lock lock{mutex_};
        changed_.wait(lock, stop, [&] { return closed_ || !items_.empty(); });
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
        const std::scoped_lock lock{mutex_};
        closed_ = true;
        changed_.notify_all();
    }

    /// The most that it has held.
    Size peak() const {
        const std::scoped_lock lock{mutex_};
        return peak_;
    }

private:
    bool fits(std::size_t bytes) const noexcept {
        if (items_.empty()) return true;
        return items_.size() < max_.items && bytes_ + bytes <= max_.bytes;
    }

    const Size max_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<T> items_;
    std::size_t bytes_ = 0;
    Size peak_;
    bool closed_ = false;
};

}  // namespace daybook::detail
