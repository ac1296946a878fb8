#include "disk_image.hpp"

#include <algorithm>
#include <cstring>

namespace daybook::test {

FileBytes::Chunk& FileBytes::own_chunk(std::size_t index) {
    std::shared_ptr<Chunk>& chunk = chunks_[index];
    if (!chunk) {
        chunk = std::make_shared<Chunk>();
        chunk->fill(0);
    } else if (chunk.use_count() > 1) {
        chunk = std::make_shared<Chunk>(*chunk);
    }
    return *chunk;
}

void FileBytes::write(std::size_t offset, const char* from, std::size_t bytes) {
    size_ = std::max(size_, offset + bytes);
    chunks_.resize((size_ + chunk_bytes - 1) / chunk_bytes);
    while (bytes > 0) {
        const std::size_t inside = offset % chunk_bytes;
        const std::size_t part = std::min(bytes, chunk_bytes - inside);
        std::memcpy(own_chunk(offset / chunk_bytes).data() + inside, from, part);
        offset += part;
        from += part;
        bytes -= part;
    }
}

std::size_t FileBytes::read(std::size_t offset, char* to, std::size_t bytes) const {
    const std::size_t there = offset >= size_ ? 0 : std::min(bytes, size_ - offset);
    std::memset(to + there, 0, bytes - there);
    for (std::size_t done = 0; done < there;) {
        const std::size_t inside = (offset + done) % chunk_bytes;
        const std::size_t part = std::min(there - done, chunk_bytes - inside);
        if (const auto& chunk = chunks_[(offset + done) / chunk_bytes]) {
            std::memcpy(to + done, chunk->data() + inside, part);
        } else {
            std::memset(to + done, 0, part);
        }
        done += part;
    }
    return there;
}

void FileBytes::truncate(std::size_t size) {
    chunks_.resize((size + chunk_bytes - 1) / chunk_bytes);
    // What a later write makes part of the file again must read as zeros.
    const std::size_t inside = size % chunk_bytes;
    if (size < size_ && inside != 0 && chunks_.back()) {
        Chunk& last = own_chunk(chunks_.size() - 1);
        std::fill(last.begin() + static_cast<std::ptrdiff_t>(inside), last.end(), '\0');
    }
    size_ = size;
}

}  // namespace daybook::test
