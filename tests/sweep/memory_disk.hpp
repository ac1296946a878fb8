#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "disk_image.hpp"
#include "temporary_directory.hpp"

namespace daybook::test {

/// The calls that SQLite makes to a disk.
enum class DiskCall : std::uint8_t {
    read,
    write,
    sync,
    truncate,
    file_size,
    open,
    remove,
    access,
    lock,
    shm_map,
    shm_lock,
};

/// The `nth` call of this kind from now on (the first is 1) fails with an SQLite result code; those
/// after it too, if `for_ever`.
struct DiskFault {
    DiskCall call = DiskCall::write;
    int code = SQLITE_IOERR;
    std::uint64_t nth = 1;
    bool for_ever = false;
};

/// A disk in memory: an `sqlite3_vfs` that is the default while the object lives. It has locks and
/// shared memory, so stores in WAL mode work on it. It can fail, be full, record what is done to
/// it, and be set back to an earlier image.
///
/// Each of its files also stands as an empty one in a real directory, so that code that works on
/// paths (exists, remove, list a directory) works; a file that is removed or replaced there is
/// removed or replaced here. Failing writes store their first half, as real ones may.
class MemoryDisk {
public:
    MemoryDisk();
    ~MemoryDisk();
    MemoryDisk(const MemoryDisk&) = delete;
    MemoryDisk& operator=(const MemoryDisk&) = delete;

    /// The path of a file on this disk, whether it is there or not.
    std::string path(const std::string& name) const { return directory_.file(name); }

    DiskImage image() const;
    /// Makes the disk what it was, or may be. No file may be open.
    void load(const DiskImage& image);

    void record();
    OperationLog take_log();
    /// Operations recorded so far.
    std::size_t operations() const;

    void fail(const DiskFault& fault);
    void heal();
    /// Whether a call has failed since `fail` or `limit`.
    bool has_failed() const;

    /// What all files and the shared memory may take; nothing: no limit.
    void limit(std::optional<std::size_t> bytes);
    std::size_t used_bytes() const;

    /// For negative controls: syncs that do nothing, writes that a full disk swallows.
    void lie_about_syncs(bool lies);
    void lie_about_space(bool lies);

private:
    struct File;
    struct Handle;
    struct Methods;
    using FilePtr = std::shared_ptr<File>;

    int open(const char* name, Handle& handle, int flags, int* out_flags);
    int remove(const std::string& path);
    FilePtr find(const std::string& path);
    void erase(const std::string& path);
    int write(File& file, const char* bytes, std::size_t count, std::size_t offset);
    void store(File& file, const char* bytes, std::size_t count, std::size_t offset);
    int truncate(File& file, std::size_t size);
    int sync(File& file);
    int map_shared(Handle& handle, std::size_t region, std::size_t bytes, bool extend,
                   void volatile** out);
    /// The code that this call fails with, or SQLITE_OK.
    int failure(DiskCall call);
    bool has_room(std::size_t more) const;
    void log(DiskOperation operation, const File& file, const char* bytes = nullptr);

    sqlite3_vfs* real_ = nullptr;
    sqlite3_vfs vfs_{};
    TemporaryDirectory directory_;

    mutable std::mutex mutex_;  // guards all below
    std::map<std::string, FilePtr> files_;
    std::uint32_t next_number_ = 0;
    std::optional<OperationLog> log_;
    std::optional<DiskFault> fault_;
    std::uint64_t calls_ = 0;
    bool has_failed_ = false;
    std::optional<std::size_t> limit_;
    std::size_t used_ = 0;
    bool lies_about_syncs_ = false;
    bool lies_about_space_ = false;
    std::uint64_t random_ = 1;
};

}  // namespace daybook::test
