#include "daybook/eventstore/event_page.hpp"

#include <algorithm>
#include <cstring>

namespace daybook {

void EventPage::clear() noexcept {
    rows.clear();
    next_from = 0;
    at_end = false;
    scanned_to = {};
    block_ = 0;
    used_ = 0;
    bytes_ = 0;
}

std::size_t EventPage::capacity() const noexcept {
    std::size_t total = 0;
    for (const Block& block : blocks_) total += block.size;
    return total;
}

std::string_view EventPage::keep(std::string_view text) {
    if (text.empty()) return {};
    char* const kept = reserve(text.size());
    std::memcpy(kept, text.data(), text.size());
    return {kept, text.size()};
}

char* EventPage::reserve(std::size_t size) {
    while (block_ < blocks_.size() && blocks_[block_].size - used_ < size) {
        ++block_;
        used_ = 0;
    }
    if (block_ == blocks_.size()) {
        const std::size_t wanted = std::max(size, block_bytes);
        blocks_.push_back({std::make_unique_for_overwrite<char[]>(wanted), wanted});
    }
    char* const start = blocks_[block_].memory.get() + used_;
    used_ += size;
    bytes_ += size;
    return start;
}

}  // namespace daybook
