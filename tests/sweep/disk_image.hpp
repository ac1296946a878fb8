#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace daybook::test {

/// The bytes of one file, in chunks that copies share until one of them changes.
class FileBytes {
public:
    std::size_t size() const noexcept { return size_; }
    void write(std::size_t offset, const char* from, std::size_t bytes);
    /// Returns how many of the bytes were there; the rest of `to` is zeroed.
    std::size_t read(std::size_t offset, char* to, std::size_t bytes) const;
    void truncate(std::size_t size);

private:
    static constexpr std::size_t chunk_bytes = 4096;
    using Chunk = std::array<char, chunk_bytes>;
    Chunk& own_chunk(std::size_t index);

    std::vector<std::shared_ptr<Chunk>> chunks_;  // null: zeros
    std::size_t size_ = 0;
};

/// All files of a disk, by path.
using DiskImage = std::map<std::string, FileBytes>;

/// One change of a disk.
struct DiskOperation {
    enum class Kind : std::uint8_t { create, write, truncate, sync, failed_sync, remove };
    Kind kind = Kind::write;
    std::uint32_t file = 0;
    std::size_t offset = 0;
    std::size_t bytes = 0;  ///< of a truncate: the new size
    std::size_t data = 0;   ///< where a write's bytes begin in `OperationLog::data`
};

/// What was done to a disk, in order.
struct OperationLog {
    DiskImage before;
    std::vector<DiskOperation> operations;
    std::vector<char> data;
    std::vector<std::string> paths;  ///< by file number; the first ones are those of `before`
};

}  // namespace daybook::test
