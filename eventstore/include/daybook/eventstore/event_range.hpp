#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#include "daybook/eventstore/event_page.hpp"
#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// Reads the pages of a range, one after another.
class PageSource {
public:
    virtual ~PageSource() = default;
    /// Fills `page` with the next events; leaves it empty at the end.
    virtual void next(EventPage& page) = 0;
};

/// A range of recorded events, read page by page: ten million of them need the memory of one page.
/// It can be iterated once.
///
///     for (const EventView event : store.read("account-1")) use(event.data());
///
/// An EventView is valid until the next step. Not thread-safe; holds no lock and no transaction
/// between two steps, and returns events that are appended meanwhile. Keeps its store open.
class EventRange {
public:
    /// An input iterator: all of a range share one place in it.
    class Iterator {
    public:
        using value_type = EventView;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        Iterator() noexcept = default;
        explicit Iterator(EventRange& range) noexcept : range_(&range) {}

        EventView operator*() const noexcept { return EventView{*range_->at_}; }
        Iterator& operator++() {
            if (++range_->at_ == range_->end_) range_->read_page();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept {
            return range_->at_ == range_->end_;
        }

    private:
        EventRange* range_ = nullptr;
    };

    /// Reads into `page`. `owner` is what the source reads from; the range keeps it alive.
    EventRange(std::unique_ptr<PageSource> source, std::shared_ptr<EventPage> page,
               std::shared_ptr<void> owner = {})
        : owner_(std::move(owner)), source_(std::move(source)), page_(std::move(page)) {}

    Iterator begin() {
        if (!started_) read_page();
        return Iterator{*this};
    }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    void read_page() {
        started_ = true;
        source_->next(*page_);
        at_ = page_->rows.data();
        end_ = at_ + page_->rows.size();
    }

    std::shared_ptr<void> owner_;
    std::unique_ptr<PageSource> source_;
    std::shared_ptr<EventPage> page_;
    const EventRow* at_ = nullptr;
    const EventRow* end_ = nullptr;
    bool started_ = false;
};

}  // namespace daybook
