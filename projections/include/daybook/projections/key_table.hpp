#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace daybook::detail {

/// Numbers keys 0, 1, 2 … in the order in which they are first seen. A key of a few bytes costs no
/// allocation of its own.
class KeyTable {
public:
    struct Found {
        std::uint32_t slot;
        bool added;
    };
    /// Copies `key` if it is new.
    Found find_or_add(std::string_view key);

    std::string_view key(std::uint32_t slot) const noexcept { return keys_[slot]; }
    std::size_t size() const noexcept { return keys_.size(); }
    /// An estimate of the memory in use.
    std::size_t bytes() const noexcept;
    void clear() noexcept;

private:
    static constexpr std::size_t block_bytes = 64 * 1024;
    struct Cell {
        std::uint32_t hash = 0;
        std::uint32_t slot = 0;  ///< plus one; 0 is a free cell
    };

    void grow();
    /// Copies `key` into a block.
    std::string_view copy(std::string_view key);

    std::vector<Cell> cells_;  ///< open addressing; a power of two, at most half full
    std::vector<std::string_view> keys_;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t block_left_ = 0;
    std::size_t block_bytes_used_ = 0;
};

}  // namespace daybook::detail
