#pragma once

#include <atomic>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

namespace daybook::test {

/// A layer between SQLite and the real disk that fails on command: an `sqlite3_vfs` that is the
/// default while the object lives.
class FaultyDisk {
public:
    enum class Fault {
        none,
        full,         ///< writes of the write-ahead log
        write_error,  ///< the same calls, with an input/output error
        sync_error,   ///< syncs of the write-ahead log
        read_error,   ///< reads of the database file
        bad_read,     ///< the same calls succeed, with other bytes than were written
        index_full,   ///< the index of the write-ahead log can neither grow nor be mapped
    };

    FaultyDisk() {
        real_ = sqlite3_vfs_find(nullptr);
        vfs_ = *real_;
        vfs_.zName = "faulty";
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
        vfs_.pAppData = this;
        vfs_.xOpen = &open;
        if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) throw std::runtime_error("no vfs");
    }
    ~FaultyDisk() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(real_, 1);
    }
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    /// From now on every call that the fault applies to fails, until the fault is set to `none`.
    void fail(Fault fault) {
        once_ = false;
        successes_left_ = 0;
        fault_ = fault;
    }
    /// Only one of the calls fails, after `after` calls that succeed.
    void fail_once(Fault fault, int after = 0) {
        once_ = true;
        successes_left_ = after;
        fault_ = fault;
    }
    /// How many calls have failed.
    int failures() const { return failures_; }
    /// How often the write-ahead log was written.
    int log_writes() const { return log_writes_; }

private:
    struct File {
        sqlite3_file base;
        sqlite3_io_methods methods;
        const sqlite3_io_methods* real;
        FaultyDisk* disk;
        bool is_wal;
        bool is_database;
    };
    // SQLite's own file object lies in memory directly behind this one, which forwards to it.
    static sqlite3_file* inner(sqlite3_file* file) {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
    }
    static File* outer(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

    bool fails(Fault fault) {
        if (fault_ != fault) return false;
        if (successes_left_ > 0) {
            --successes_left_;
            return false;
        }
        if (once_) fault_ = Fault::none;
        ++failures_;
        return true;
    }

    static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                    int* out_flags) {
        auto* disk = static_cast<FaultyDisk*>(vfs->pAppData);
        File* const self = new (file) File{};
        self->disk = disk;
        self->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
        self->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
        const int code = disk->real_->xOpen(disk->real_, name, inner(file), flags, out_flags);
        if (inner(file)->pMethods == nullptr) return code;
        self->methods = forwarding(inner(file)->pMethods->iVersion);
        self->base.pMethods = &self->methods;
        return code;
    }

    template <auto Method, class... Args>
    static auto forward(sqlite3_file* file, Args... args) {
        return (inner(file)->pMethods->*Method)(inner(file), args...);
    }
    static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
        File* const self = outer(file);
        if (self->is_wal) ++self->disk->log_writes_;
        if (self->is_wal && self->disk->fails(Fault::full)) return SQLITE_FULL;
        if (self->is_wal && self->disk->fails(Fault::write_error)) return SQLITE_IOERR_WRITE;
        return forward<&sqlite3_io_methods::xWrite>(file, bytes, count, offset);
    }
    static int sync(sqlite3_file* file, int flags) {
        File* const self = outer(file);
        if (self->is_wal && self->disk->fails(Fault::sync_error)) return SQLITE_IOERR_FSYNC;
        return forward<&sqlite3_io_methods::xSync>(file, flags);
    }
    static int read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
        File* const self = outer(file);
        if (self->is_database && self->disk->fails(Fault::read_error)) return SQLITE_IOERR_READ;
        const int code = forward<&sqlite3_io_methods::xRead>(file, to, count, offset);
        if (self->is_database && self->disk->fails(Fault::bad_read)) {
            std::memset(to, 0xA5, static_cast<std::size_t>(count));
        }
        return code;
    }
    static int map_index(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
        if (extend != 0 && outer(file)->disk->fails(Fault::index_full)) {
            return SQLITE_IOERR_SHMSIZE;
        }
        return forward<&sqlite3_io_methods::xShmMap>(file, page, size, extend, out);
    }

    static sqlite3_io_methods forwarding(int version) {
        using M = sqlite3_io_methods;
        M methods{};
        methods.iVersion = version;
        methods.xClose = [](sqlite3_file* f) { return forward<&M::xClose>(f); };
        methods.xRead = &read;
        methods.xWrite = &write;
        methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) {
            return forward<&M::xTruncate>(f, n);
        };
        methods.xSync = &sync;
        methods.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
            return forward<&M::xFileSize>(f, n);
        };
        methods.xLock = [](sqlite3_file* f, int l) { return forward<&M::xLock>(f, l); };
        methods.xUnlock = [](sqlite3_file* f, int l) { return forward<&M::xUnlock>(f, l); };
        methods.xCheckReservedLock = [](sqlite3_file* f, int* out) {
            return forward<&M::xCheckReservedLock>(f, out);
        };
        methods.xFileControl = [](sqlite3_file* f, int op, void* arg) {
            return forward<&M::xFileControl>(f, op, arg);
        };
        methods.xSectorSize = [](sqlite3_file* f) { return forward<&M::xSectorSize>(f); };
        methods.xDeviceCharacteristics = [](sqlite3_file* f) {
            return forward<&M::xDeviceCharacteristics>(f);
        };
        methods.xShmMap = &map_index;
        methods.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
            return forward<&M::xShmLock>(f, offset, n, flags);
        };
        methods.xShmBarrier = [](sqlite3_file* f) { forward<&M::xShmBarrier>(f); };
        methods.xShmUnmap = [](sqlite3_file* f, int del) { return forward<&M::xShmUnmap>(f, del); };
        methods.xFetch = [](sqlite3_file* f, sqlite3_int64 at, int n, void** out) {
            return forward<&M::xFetch>(f, at, n, out);
        };
        methods.xUnfetch = [](sqlite3_file* f, sqlite3_int64 at, void* page) {
            return forward<&M::xUnfetch>(f, at, page);
        };
        return methods;
    }

    sqlite3_vfs* real_ = nullptr;
    sqlite3_vfs vfs_{};
    std::atomic<Fault> fault_{Fault::none};
    std::atomic<bool> once_{false};
    std::atomic<int> successes_left_{0};
    std::atomic<int> failures_{0};
    std::atomic<int> log_writes_{0};
};

}  // namespace daybook::test
