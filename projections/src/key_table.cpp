#include "daybook/projections/key_table.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace daybook::detail {

KeyTable::Found KeyTable::find_or_add(std::string_view key) {
    if (2 * (keys_.size() + 1) > cells_.size()) grow();
    const std::size_t full_hash = std::hash<std::string_view>{}(key);
    const auto hash = static_cast<std::uint32_t>(full_hash >> 32);
    const std::size_t mask = cells_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        Cell& cell = cells_[at];
        if (cell.slot == 0) {
            keys_.push_back(copy(key));
            cell = {hash, static_cast<std::uint32_t>(keys_.size())};
            return {cell.slot - 1, true};
        }
        if (cell.hash == hash && keys_[cell.slot - 1] == key) return {cell.slot - 1, false};
    }
}

std::size_t KeyTable::bytes() const noexcept {
    return cells_.size() * sizeof(Cell) + keys_.size() * sizeof(std::string_view) +
           block_bytes_used_;
}

void KeyTable::clear() noexcept {
    std::fill(cells_.begin(), cells_.end(), Cell{});
    keys_.clear();
    blocks_.clear();
    block_left_ = 0;
    block_bytes_used_ = 0;
}

void KeyTable::grow() {
    std::vector<Cell> cells(std::max<std::size_t>(64, 2 * cells_.size()));
    const std::size_t mask = cells.size() - 1;
    for (const Cell& cell : cells_) {
        if (cell.slot == 0) continue;
        std::size_t at = cell.hash & mask;
        while (cells[at].slot != 0) at = (at + 1) & mask;
        cells[at] = cell;
    }
    cells_.swap(cells);
}

std::string_view KeyTable::copy(std::string_view key) {
    if (key.empty()) return {};
    if (key.size() > block_left_) {
        const std::size_t size = std::max(block_bytes, key.size());
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        block_left_ = size;
        block_bytes_used_ += size;
    }
    // A block is filled from its end, so that `block_left_` alone tells where the next key goes.
    char* const place = blocks_.back().get() + (block_left_ - key.size());
    std::memcpy(place, key.data(), key.size());
    block_left_ -= key.size();
    return {place, key.size()};
}

}  // namespace daybook::detail
