#pragma once

#include <array>
#include <string>

#include <sys/stat.h>

namespace daybook::sqlite {

/// Checks that the files of an open store are still the ones under their names. SQLite goes on
/// writing into a file that was removed or replaced, so commits would succeed and be lost. A file
/// with a second name (a hard link) gets a second write-ahead log under it, and each log overwrites
/// what was written through the other. The check opens no file: POSIX drops all locks of a process
/// on a file when it closes any descriptor of it, and the store would be unprotected.
class FileGuard {
public:
    explicit FileGuard(std::string path);

    /// Includes the write-ahead log and its index in the check. Called when both exist.
    void include_log();
    /// Throws StorageError if a file was removed, replaced, or given a second name.
    void check() const;
    /// Checks the store's file alone. Called after connecting: the new connection may lead to
    /// another file of that name.
    void check_file() const;
    /// A warning about the file to log when the store is opened; empty if there is none.
    std::string warning() const;

private:
    /// The path is empty if the file system has no such file: a program may have given SQLite a VFS
    /// of its own, whose files cannot be checked here.
    struct File {
        std::string path{};
        dev_t device = 0;
        ino_t inode = 0;
    };

    static File file_at(std::string path);
    void check(const File& file) const;

    const std::string path_;
    const File store_;
    std::array<File, 2> log_;  ///< their paths are empty until they are included
};

/// Takes away from the file or directory at `path`, if there is one, every access right that the
/// store at `store` does not grant. Throws StorageError if it is a symbolic link.
void keep_as_private(const std::string& path, const std::string& store);

/// Creates an empty file at `path` with the rights and the owner of the store, unless it exists.
void make_file_like(const std::string& store, const std::string& path);
/// The same for a directory: users who may read the store may search it.
void make_directory_like(const std::string& store, const std::string& path);

}  // namespace daybook::sqlite
