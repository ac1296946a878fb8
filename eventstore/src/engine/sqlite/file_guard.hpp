#pragma once

#include <array>
#include <string>

#include <sys/stat.h>

namespace daybook::sqlite {

/// Sees whether the files of an open store are still those under their names. SQLite goes on
/// writing into a file that was removed or replaced, and what it acknowledges then is found by
/// nobody; under a second name the file has a second write-ahead log, and one log overwrites what
/// the other has written. Nothing is opened here: to close any handle on a file of the store drops
/// the locks that this process has on it.
class FileGuard {
public:
    explicit FileGuard(std::string path);

    /// From here on the write-ahead log and its index are looked at as well: they are there now.
    void include_log();
    /// Throws StorageError if a file was removed, replaced, or given a second name.
    void check() const;
    /// The same for a connection that was just made: it may be one to another file.
    void check_file() const;
    /// What a caller may be told about the file at open; empty if nothing.
    std::string warning() const;

private:
    /// Without a path if there is none in this file system: a program may give SQLite a disk of
    /// another kind, and that looks after itself.
    struct File {
        std::string path{};
        dev_t device = 0;
        ino_t inode = 0;
    };

    static File file_at(std::string path);
    void check(const File& file) const;

    const std::string path_;
    const File store_;
    std::array<File, 2> log_;  ///< without a path until they are included
};

/// Takes from the file or directory at `path`, if there is one, every right that the store at
/// `store` does not give. Throws StorageError if it is a symbolic link.
void keep_as_private(const std::string& path, const std::string& store);

/// Makes an empty file at `path` with the rights and the owner of the store, unless there is one.
void make_file_like(const std::string& store, const std::string& path);
/// The same of a directory: who may read the store may search it.
void make_directory_like(const std::string& store, const std::string& path);

}  // namespace daybook::sqlite
