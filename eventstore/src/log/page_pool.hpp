#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/event_page.hpp"

namespace daybook {

/// A pool of pages to read into. Allocating a page's memory anew each time would cost a third of
/// the time of reading a thousand events into it. Thread-safe.
class PagePool : public std::enable_shared_from_this<PagePool> {
public:
    /// A page that returns to the pool when its last owner drops it.
    std::shared_ptr<EventPage> borrow() {
        auto page = take();
        auto* const raw = page.release();
        return {raw, [pool = shared_from_this()](EventPage* returned) {
                    pool->give_back(std::unique_ptr<EventPage>{returned});
                }};
    }

private:
    static constexpr std::size_t kept_max = 8;
    /// A page that has grown beyond this is not kept.
    static constexpr std::size_t page_bytes_max = 2 * 1024 * 1024;

    std::unique_ptr<EventPage> take() {
        {
            const MutexLock lock{mutex_};
            if (count_ > 0) return std::move(kept_[--count_]);
        }
        return std::make_unique<EventPage>();
    }
    void give_back(std::unique_ptr<EventPage> page) noexcept {
        if (page->capacity() > page_bytes_max) return;
        const MutexLock lock{mutex_};
        if (count_ < kept_.size()) kept_[count_++] = std::move(page);
    }

    Mutex mutex_;
    std::array<std::unique_ptr<EventPage>, kept_max> kept_ DAYBOOK_GUARDED_BY(mutex_);
    std::size_t count_ DAYBOOK_GUARDED_BY(mutex_) = 0;
};

}  // namespace daybook
