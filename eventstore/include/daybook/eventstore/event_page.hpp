#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "daybook/core/ordinal.hpp"
#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// Events that were copied out of the database in one short read, so that no read transaction stays
/// open between two steps. Reused from page to page: after the first few, filling it allocates
/// nothing.
class EventPage {
public:
    /// Drops the rows and keeps the memory.
    void clear() noexcept;
    /// Copies `text` into the page. The result is valid until the next `clear`.
    std::string_view keep(std::string_view text);

    std::vector<EventRow> rows;
    /// Where the next page starts (a version of the stream, or a position of the log).
    std::uint64_t next_from = 0;
    /// There were no more events when the page was read.
    bool at_end = false;
    /// All events up to here were read, including those that a filter has dropped (log, forward).
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
