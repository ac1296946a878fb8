#include "engine/sqlite/file_guard.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daybook/core/error.hpp"

namespace daybook::sqlite {

namespace {

struct stat require_stat(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) {
        throw StorageError("'" + path + "': " + std::strerror(errno) +
                           ": check the rights on its directory");
    }
    return found;
}

/// The rights for a file, or for a directory, where each right to read includes the right to
/// search.
mode_t rights_for(mode_t store, bool is_directory) {
    const mode_t rights = store & 0666;
    return is_directory ? rights | ((rights & 0444) >> 2) : rights;
}

[[noreturn]] void fail(const std::string& path, const char* what) {
    throw StorageError("'" + path + "' " + what + ": " + std::strerror(errno) +
                       ": check the rights on the store's directory");
}

/// When root opens a store, files that are created for it still belong to the store's owner.
void give_to_owner(int file, const struct stat& store, const std::string& path) {
    if (::geteuid() == 0 && ::fchown(file, store.st_uid, store.st_gid) != 0) {
        fail(path, "cannot be given to the store's owner");
    }
}

/// Which file a name stands for, and how many names that file has.
struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    std::uint32_t names = 0;
};

/// Does not request the file's times. Since Linux 6.13 a file whose times were read gets new ones
/// with its next write, and then the sync of each commit writes them as well: that made commits a
/// fifth slower.
std::optional<Identity> identity_of(const std::string& path) {
    struct statx found{};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_NLINK, &found) != 0) return {};
    return Identity{makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino,
                    found.stx_nlink};
}

}  // namespace

FileGuard::File FileGuard::file_at(std::string path) {
    const auto found = identity_of(path);
    if (!found) return {};
    return {std::move(path), found->device, found->inode};
}

FileGuard::FileGuard(std::string path) : path_(std::move(path)), store_(file_at(path_)) {}

void FileGuard::include_log() {
    if (!log_.front().path.empty()) return;
    log_ = {file_at(path_ + "-wal"), file_at(path_ + "-shm")};
}

void FileGuard::check() const {
    check(store_);
    for (const File& file : log_) check(file);
}

void FileGuard::check_file() const {
    if (store_.path.empty()) return;
    const auto found = identity_of(path_);
    if (found && found->inode == store_.inode && found->device == store_.device) return;
    throw StorageError("store '" + path_ +
                       "' was removed or replaced while it was open: put the file back, or close "
                       "the store and open it again");
}

void FileGuard::check(const File& file) const {
    if (file.path.empty()) return;
    const auto found = identity_of(file.path);
    if (!found || found->inode != file.inode || found->device != file.device) {
        throw StorageError("store '" + path_ + "': '" + file.path +
                           "' was removed or replaced while the store was open: nothing can be "
                           "stored; close the store and see what is under that name");
    }
    if (found->names != 1) {
        throw StorageError("store '" + path_ +
                           "' has a second name (a hard link), under which it would have another "
                           "write-ahead log: nothing can be stored until one of them is removed");
    }
}

std::string FileGuard::warning() const {
    const auto found = identity_of(path_);
    if (!found || found->names == 1) return {};
    return "store '" + path_ + "' has a second name (a hard link): it can be read and not written";
}

void keep_as_private(const std::string& path, const std::string& store) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) return;
    if (S_ISLNK(found.st_mode)) {
        throw StorageError("'" + path +
                           "' is a symbolic link where the store keeps a file of its own: remove "
                           "the link");
    }
    const mode_t allowed = rights_for(require_stat(store).st_mode, S_ISDIR(found.st_mode));
    const mode_t rights = found.st_mode & 07777;
    // Only the owner and root can change the rights. Another user has not created the file either.
    if ((rights & ~allowed) != 0 && (::geteuid() == found.st_uid || ::geteuid() == 0) &&
        ::chmod(path.c_str(), rights & allowed) != 0) {
        fail(path, "is more open than the store and cannot be changed");
    }
}

void make_file_like(const std::string& store, const std::string& path) {
    const auto model = require_stat(store);
    const mode_t rights = rights_for(model.st_mode, false);
    const int file =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, rights);
    if (file < 0 && errno == EEXIST) return;
    if (file < 0) fail(path, "cannot be made");
    const struct Closing {
        int file;
        ~Closing() { ::close(file); }
    } closing{file};
    give_to_owner(file, model, path);
    if (::fchmod(file, rights) != 0) fail(path, "cannot be given the store's rights");
}

void make_directory_like(const std::string& store, const std::string& path) {
    const auto model = require_stat(store);
    if (::mkdir(path.c_str(), S_IRWXU) != 0) {
        if (errno == EEXIST) return;
        fail(path, "cannot be made");
    }
    const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) fail(path, "cannot be opened");
    const struct Closing {
        int file;
        ~Closing() { ::close(file); }
    } closing{directory};
    give_to_owner(directory, model, path);
    if (::fchmod(directory, rights_for(model.st_mode, true)) != 0) {
        fail(path, "cannot be given the store's rights");
    }
}

}  // namespace daybook::sqlite
