#pragma once

#include <string>

#include <sqlite3.h>

namespace daybook::sqlite {

/// Lives during one COMMIT. Writes the frames that the connection adds to its write-ahead log with
/// one write, or with a few if there are many. SQLite itself makes two writes of each frame, header
/// and page, which takes a seventh of the time of a small commit.
///
/// It takes the place of the methods of the log's file (`sqlite3_file::pMethods`). Durability
/// depends on the order: the gathered frames are written before any other call reaches the file,
/// and at the latest with the last frame of the commit. SQLite syncs the log and shows the commit
/// to other connections only after that. So a failed write still makes the COMMIT fail, and nothing
/// of a failed commit is left here. (https://sqlite.org/fileformat2.html, "The WAL File Format")
class GatheredCommit : private sqlite3_io_methods {
public:
    /// With one more frame, it stays below the 128 KiB that SQLite's VFS can write in one call.
    static constexpr std::size_t bytes_max = 64 * 1024;

    /// `frames` is the buffer; it is empty before and afterwards. The caller keeps it, so that not
    /// every commit allocates it again.
    GatheredCommit(sqlite3* database, std::string& frames);
    ~GatheredCommit();
    GatheredCommit(const GatheredCommit&) = delete;
    GatheredCommit& operator=(const GatheredCommit&) = delete;

private:
    static GatheredCommit& from(sqlite3_file* file) noexcept;
    /// Writes the gathered frames, then calls the file's own method.
    template <auto Method, class... Args>
    static int write_gathered_then(sqlite3_file* file, Args... args);
    static int on_write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset);

    /// Adds bytes to the gathered frames. False if they are not part of them.
    bool gather(const char* bytes, std::size_t count, sqlite3_int64 offset);
    int write_gathered();

    sqlite3_file* file_ = nullptr;
    const sqlite3_io_methods* file_methods_ = nullptr;  ///< the file's own
    std::string& frames_;
    sqlite3_int64 offset_ = 0;  ///< of the first gathered byte
    bool is_last_ = false;      ///< the next bytes are the page of the commit's last frame
    bool is_complete_ = false;  ///< the commit's last frame was gathered
};

}  // namespace daybook::sqlite
