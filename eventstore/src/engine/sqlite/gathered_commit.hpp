#pragma once

#include <string>

#include <sqlite3.h>

namespace daybook::sqlite {

/// While it lives, which is for the length of a COMMIT, the frames that a connection adds to its
/// write-ahead log go to the disk in one write, or in a few if they are many. SQLite makes two of
/// each frame, header and page, which is a seventh of what a small commit takes.
///
/// It stands between SQLite and the log's file (`sqlite3_file::pMethods`). What has been gathered
/// is written before anything else is done with the file, and with the last frame of the commit at
/// the latest: SQLite shows a commit to others only after that. So no error comes too late, and of
/// a commit that fails nothing is left here. (https://sqlite.org/fileformat2.html, "The WAL File
/// Format")
class GatheredCommit : private sqlite3_io_methods {
public:
    /// With a frame more, still under the 128 KiB that SQLite's own disk can take at once.
    static constexpr std::size_t bytes_max = 64 * 1024;

    /// `frames` is empty, and so it is again afterwards; to be kept for its memory.
    GatheredCommit(sqlite3* database, std::string& frames);
    ~GatheredCommit();
    GatheredCommit(const GatheredCommit&) = delete;
    GatheredCommit& operator=(const GatheredCommit&) = delete;

private:
    static GatheredCommit& of(sqlite3_file* file) noexcept;
    /// The file's own method, with nothing gathered that it would not know of.
    template <auto Method, class... Args>
    static int after_gathered(sqlite3_file* file, Args... args);
    static int on_write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset);

    /// Whether it was taken.
    bool gather(const char* bytes, std::size_t count, sqlite3_int64 offset);
    int write_gathered();

    sqlite3_file* file_ = nullptr;
    const sqlite3_io_methods* own_ = nullptr;  ///< of the file
    std::string& frames_;
    sqlite3_int64 offset_ = 0;  ///< of the first of them
    bool is_last_ = false;      ///< the page of the commit's last frame is to come
    bool is_over_ = false;
};

}  // namespace daybook::sqlite
