#include "daybook/eventstore/event_range.hpp"

namespace daybook {

EventRange::EventRange(std::unique_ptr<PageSource> source, std::shared_ptr<EventPage> page,
                       std::shared_ptr<void> owner)
    : owner_(std::move(owner)), source_(std::move(source)), page_(std::move(page)) {}

void EventRange::turn_page() {
    begun_ = true;
    source_->next(*page_);
    at_ = page_->rows.data();
    end_ = at_ + page_->rows.size();
}

}  // namespace daybook
