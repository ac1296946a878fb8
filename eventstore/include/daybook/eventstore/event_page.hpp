#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "daybook/core/ordinal.hpp"
#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// A run of events copied out of the database in one short read, so that no reader pins the log
/// between two steps. Reused from page to page: after the first few, filling one allocates nothing.
class EventPage {
public:
    /// Forgets the rows and keeps the memory.
    void clear() noexcept;
    /// Copies `text` into the page and returns where it lies until the next `clear`.
    std::string_view keep(std::string_view text);

    std::vector<EventRow> rows;
    /// Where the next page begins (a version of the stream, or a position of the log).
    std::uint64_t next_from = 0;
    /// Nothing more was there when the page was read.
    bool at_end = false;
    /// Every event up to here was looked at, those that a filter dropped included (log, forward).
    Position scanned_to;
    std::size_t bytes() const noexcept { return bytes_; }
    /// The memory that `clear` keeps for text.
    std::size_t capacity() const noexcept;

private:
    static constexpr std::size_t block_bytes = 256 * 1024;
    struct Block {
        std::unique_ptr<char[]> memory;
        std::size_t size = 0;
    };
    char* reserve(std::size_t size);

    std::vector<Block> blocks_;
    std::size_t block_ = 0;
    std::size_t used_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace daybook
