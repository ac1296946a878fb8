#pragma once

#include <algorithm>

#include "log/store_core.hpp"

namespace daybook {

/// Drops the rows beyond the limit and subtracts the rest from it.
inline void take_from_limit(EventPage& page, std::uint64_t& left) {
    if (page.rows.size() > left) page.rows.resize(static_cast<std::size_t>(left));
    left -= page.rows.size();
}

/// Notes the last event of a page, if there is one. The next page must continue after it.
inline void note_last(const EventPage& page, LogPoint& last) noexcept {
    if (!page.rows.empty()) last = {page.rows.back().position, page.rows.back().id, {}};
}

/// The pages of a stream. The core (and the reader, if one is given) must outlive it.
class StreamPages final : public PageSource {
public:
    StreamPages(StoreCore& core, StreamName stream, const StreamRead& read, Reader* reader)
        : core_(core),
          reader_(reader),
          stream_(std::move(stream)),
          left_(read.limit),
          from_(read.from.value()),
          direction_(read.direction) {}

    void next(EventPage& page) override {
        page.clear();
        while (page.rows.empty() && left_ > 0 && !ended_) {
            PageRequest request{
                .stream = &stream_, .from = from_, .direction = direction_, .last_read = &last_};
            request.events_max =
                static_cast<std::size_t>(std::min<std::uint64_t>(request.events_max, left_));
            core_.read_page(request, page, reader_);
            note_last(page, last_);
            from_ = page.next_from;
            ended_ = page.at_end;
            take_from_limit(page, left_);
        }
    }

private:
    StoreCore& core_;
    Reader* reader_;
    const StreamName stream_;
    std::uint64_t left_;
    std::uint64_t from_;
    const Direction direction_;
    LogPoint last_;
    bool ended_ = false;
};

/// The pages of the log. The core (and the reader, if one is given) must outlive it.
class LogPages final : public PageSource {
public:
    LogPages(StoreCore& core, LogRead read, Reader* reader)
        : core_(core), reader_(reader), read_(std::move(read)), from_(read_.from.value()) {}

    void next(EventPage& page) override {
        page.clear();
        while (page.rows.empty() && read_.limit > 0 && !ended_) {
            PageRequest request{.from = from_,
                                .direction = read_.direction,
                                .filter = read_.filter.empty() ? nullptr : &read_.filter,
                                .last_read = &last_};
            request.events_max =
                static_cast<std::size_t>(std::min<std::uint64_t>(events_max_, read_.limit));
            events_max_ = std::min(2 * events_max_, page_events_max);
            core_.read_page(request, page, reader_);
            note_last(page, last_);
            from_ = page.next_from;
            ended_ = page.at_end;
            take_from_limit(page, read_.limit);
        }
    }

private:
    // Pages grow from read to read: large ones are faster for a caller that reads the whole log,
    // and small ones for a caller that stops after the first events.
    static constexpr std::size_t page_events_max = 8'000;

    StoreCore& core_;
    Reader* reader_;
    LogRead read_;
    std::uint64_t from_;
    std::size_t events_max_ = PageRequest{}.events_max;
    LogPoint last_;
    bool ended_ = false;
};

}  // namespace daybook
