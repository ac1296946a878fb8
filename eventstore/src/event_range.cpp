#include "daybook/eventstore/event_range.hpp"

namespace daybook {

EventRange::EventRange(std::unique_ptr<PageSource> source, std::shared_ptr<void> owner)
    : owner_(std::move(owner)), source_(std::move(source)) {}

void EventRange::turn_page() {
    begun_ = true;
    at_ = 0;
    source_->next(page_);
}

}  // namespace daybook
