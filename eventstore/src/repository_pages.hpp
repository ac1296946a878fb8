#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "daybook/eventstore/event_page.hpp"

namespace daybook::detail {

/// Pages to load with, kept from load to load: to get a page's memory from the system each time
/// costs a third of reading a thousand events into it. Thread-safe.
class RepositoryPages {
public:
    static constexpr std::size_t kept_max = 4;

    /// A page for as long as this lives.
    class Borrowed {
    public:
        explicit Borrowed(RepositoryPages& pages) : pages_(pages), page_(pages.take()) {}
        ~Borrowed() { pages_.give_back(std::move(page_)); }
        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;

        EventPage& operator*() const noexcept { return *page_; }

    private:
        RepositoryPages& pages_;
        std::unique_ptr<EventPage> page_;
    };

private:
    std::unique_ptr<EventPage> take() {
        {
            const std::scoped_lock lock{mutex_};
            if (count_ > 0) return std::move(kept_[--count_]);
        }
        return std::make_unique<EventPage>();
    }
    void give_back(std::unique_ptr<EventPage>&& page) noexcept {
        const std::scoped_lock lock{mutex_};
        if (count_ < kept_.size()) kept_[count_++] = std::move(page);
    }

    std::mutex mutex_;
    std::array<std::unique_ptr<EventPage>, kept_max> kept_;
    std::size_t count_ = 0;
};

}  // namespace daybook::detail
