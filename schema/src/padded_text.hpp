#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include <simdjson.h>

namespace daybook::detail {

/// A copy of a text, followed by the readable zeros that simdjson requires. Keeps its memory from
/// text to text.
class PaddedText {
public:
    /// Larger texts get memory of their own, so that the thread does not keep it.
    static constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;

    void assign(std::string_view text) {
        if (!bytes_ || text.size() > capacity_) grow(text.size());
        if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
        std::memset(bytes_.get() + text.size(), 0, simdjson::SIMDJSON_PADDING);
        size_ = text.size();
    }

    simdjson::padded_string_view view() const noexcept {
        return simdjson::padded_string_view{bytes_.get(), size_,
                                            size_ + simdjson::SIMDJSON_PADDING};
    }
    /// The end of the readable memory.
    const char* readable_end() const noexcept {
        return bytes_.get() + size_ + simdjson::SIMDJSON_PADDING;
    }
    /// The longest text that needs no new allocation.
    std::size_t capacity() const noexcept { return capacity_; }

private:
    void grow(std::size_t size) {
        constexpr std::size_t first = 4096;
        capacity_ = std::max({first, size, 2 * capacity_});
        bytes_ = std::make_unique_for_overwrite<char[]>(capacity_ + simdjson::SIMDJSON_PADDING);
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace daybook::detail
