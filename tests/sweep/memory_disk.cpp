#include "memory_disk.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace daybook::test {

using Kind = DiskOperation::Kind;

namespace {

/// The time of last change that marks a placeholder: a file made under its name later has another.
constexpr std::time_t placeholder_age = 1;

bool is_placeholder(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 && status.st_mtim.tv_sec == placeholder_age;
}

bool make_placeholder(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (file < 0) return false;
    const timespec times[2] = {{placeholder_age, 0}, {placeholder_age, 0}};
    const bool is_marked = ::futimens(file, times) == 0;
    ::close(file);
    return is_marked;
}

}  // namespace

struct MemoryDisk::File {
    std::string path;  // empty: a temporary file without a name
    std::uint32_t number = 0;
    FileBytes bytes;

    // Of the file's five locks; a holder is a Handle.
    int shared = 0;
    const void* reserved = nullptr;
    const void* pending = nullptr;
    const void* exclusive = nullptr;

    std::vector<std::unique_ptr<char[]>> regions;  // of the shared memory
    int shared_memory_users = 0;
    std::array<int, SQLITE_SHM_NLOCK> slot_shared{};
    std::array<const void*, SQLITE_SHM_NLOCK> slot_exclusive{};
};

struct MemoryDisk::Handle {
    sqlite3_file base{};
    MemoryDisk* disk = nullptr;
    FilePtr file;
    int level = SQLITE_LOCK_NONE;
    bool uses_shared_memory = false;
    unsigned slots_shared = 0;
    int persist_wal = 0;
};

/// The functions that SQLite calls.
struct MemoryDisk::Methods {
    static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
    static const sqlite3_io_methods& table();

    static int close(sqlite3_file* file);
    static int lock(sqlite3_file* file, int level);
    static int unlock(sqlite3_file* file, int level);
    static int control(sqlite3_file* file, int operation, void* argument);
    static int lock_slots(sqlite3_file* file, int first, int count, int flags);
    static int leave_shared_memory(sqlite3_file* file, int remove);
};

MemoryDisk::MemoryDisk() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "daybook-memory-disk";
    vfs_.szOsFile = static_cast<int>(sizeof(Handle));
    vfs_.pAppData = this;
    vfs_.xOpen = [](sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                    int* out_flags) {
        Handle* const handle = new (file) Handle{};
        auto& disk = *static_cast<MemoryDisk*>(vfs->pAppData);
        const int code = disk.open(name, *handle, flags, out_flags);
        if (code != SQLITE_OK) handle->~Handle();
        return code;
    };
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int) {
        return static_cast<MemoryDisk*>(vfs->pAppData)->remove(name);
    };
    vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int, int* out) {
        auto& disk = *static_cast<MemoryDisk*>(vfs->pAppData);
        const std::scoped_lock lock{disk.mutex_};
        if (const int code = disk.failure(DiskCall::access)) return code;
        const FilePtr file = disk.find(name);
        *out = file && file->bytes.size() > 0;
        return SQLITE_OK;
    };
    // Deterministic, so that a write-ahead log has the same salts in every run.
    vfs_.xRandomness = [](sqlite3_vfs* vfs, int bytes, char* out) {
        auto& random = static_cast<MemoryDisk*>(vfs->pAppData)->random_;
        for (int i = 0; i < bytes; ++i) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            out[i] = static_cast<char>(random >> 56);
        }
        return bytes;
    };
    vfs_.xSleep = [](sqlite3_vfs*, int microseconds) {
        std::this_thread::yield();
        return microseconds;
    };
    if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) throw std::runtime_error("no vfs");
    sqlite3_randomness(0, nullptr);
}

MemoryDisk::~MemoryDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
}

// ---- files

int MemoryDisk::open(const char* name, Handle& handle, int flags, int* out_flags) {
    const std::scoped_lock lock{mutex_};
    if (const int code = failure(DiskCall::open)) return code;
    FilePtr file;
    if (name != nullptr) file = find(name);
    if (!file) {
        file = std::make_shared<File>();
        if (name != nullptr) {
            // A file that was made there without SQLite counts as an empty one.
            const bool is_there = ::access(name, F_OK) == 0;
            if (!is_there && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
            if (!make_placeholder(name)) return SQLITE_CANTOPEN;
            file->path = name;
            file->number = next_number_++;
            files_[name] = file;
            if (log_) log_->paths.resize(next_number_);
            if (log_) log_->paths[file->number] = name;
            log({.kind = Kind::create}, *file);
        }
    }
    if (out_flags != nullptr) *out_flags = flags;
    handle.disk = this;
    handle.file = std::move(file);
    handle.base.pMethods = &Methods::table();
    return SQLITE_OK;
}

MemoryDisk::FilePtr MemoryDisk::find(const std::string& path) {
    const auto found = files_.find(path);
    if (found == files_.end()) return nullptr;
    if (is_placeholder(path)) return found->second;
    erase(path);
    return nullptr;
}

void MemoryDisk::erase(const std::string& path) {
    const auto found = files_.find(path);
    used_ -= found->second->bytes.size();
    log({.kind = Kind::remove}, *found->second);
    // Handles that have it open keep it, but it has no name any more.
    found->second->path.clear();
    files_.erase(found);
}

int MemoryDisk::remove(const std::string& path) {
    const std::scoped_lock lock{mutex_};
    if (const int code = failure(DiskCall::remove)) return code;
    if (!find(path)) return SQLITE_IOERR_DELETE_NOENT;
    ::unlink(path.c_str());
    erase(path);
    return SQLITE_OK;
}

bool MemoryDisk::has_room(std::size_t more) const { return !limit_ || used_ + more <= *limit_; }

int MemoryDisk::write(File& file, const char* bytes, std::size_t count, std::size_t offset) {
    int code = failure(DiskCall::write);
    const std::size_t end = offset + count;
    const std::size_t more = end > file.bytes.size() ? end - file.bytes.size() : 0;
    if (code == SQLITE_OK && more > 0 && !has_room(more)) {
        has_failed_ = true;
        if (lies_about_space_) return SQLITE_OK;
        code = SQLITE_FULL;
        if (!has_room(more - std::min(more, count / 2))) return code;
    }
    store(file, bytes, code == SQLITE_OK ? count : count / 2, offset);
    return code;
}

void MemoryDisk::store(File& file, const char* bytes, std::size_t count, std::size_t offset) {
    const std::size_t before = file.bytes.size();
    file.bytes.write(offset, bytes, count);
    if (!file.path.empty()) used_ += file.bytes.size() - before;
    log({.kind = Kind::write, .offset = offset, .bytes = count}, file, bytes);
}

int MemoryDisk::truncate(File& file, std::size_t size) {
    if (const int code = failure(DiskCall::truncate)) return code;
    if (!file.path.empty()) used_ = used_ - file.bytes.size() + size;
    file.bytes.truncate(size);
    log({.kind = Kind::truncate, .bytes = size}, file);
    return SQLITE_OK;
}

int MemoryDisk::sync(File& file) {
    const int code = failure(DiskCall::sync);
    if (!lies_about_syncs_) {
        log({.kind = code == SQLITE_OK ? Kind::sync : Kind::failed_sync}, file);
    }
    return code;
}

// ---- locks and shared memory

int MemoryDisk::Methods::close(sqlite3_file* file) {
    Handle& handle = of(file);
    if (handle.uses_shared_memory) leave_shared_memory(file, 0);
    unlock(file, SQLITE_LOCK_NONE);
    handle.~Handle();
    return SQLITE_OK;
}

int MemoryDisk::Methods::lock(sqlite3_file* file, int level) {
    Handle& handle = of(file);
    const std::scoped_lock guard{handle.disk->mutex_};
    File& locked = *handle.file;
    if (handle.level >= level) return SQLITE_OK;
    if (const int code = handle.disk->failure(DiskCall::lock)) return code;
    const auto other = [&](const void* holder) { return holder != nullptr && holder != &handle; };
    if (level == SQLITE_LOCK_SHARED) {
        if (other(locked.pending) || other(locked.exclusive)) return SQLITE_BUSY;
        ++locked.shared;
    } else if (level == SQLITE_LOCK_RESERVED) {
        if (other(locked.reserved)) return SQLITE_BUSY;
        locked.reserved = &handle;
    } else {
        if (other(locked.pending) || other(locked.reserved)) return SQLITE_BUSY;
        locked.pending = &handle;
        if (locked.shared > 1) return SQLITE_BUSY;
        locked.exclusive = &handle;
    }
    handle.level = level;
    return SQLITE_OK;
}

int MemoryDisk::Methods::unlock(sqlite3_file* file, int level) {
    Handle& handle = of(file);
    const std::scoped_lock guard{handle.disk->mutex_};
    File& locked = *handle.file;
    for (const void** holder : {&locked.reserved, &locked.pending, &locked.exclusive}) {
        if (*holder == &handle) *holder = nullptr;
    }
    if (level == SQLITE_LOCK_NONE && handle.level > SQLITE_LOCK_NONE) --locked.shared;
    handle.level = std::min(handle.level, level);
    return SQLITE_OK;
}

int MemoryDisk::map_shared(Handle& handle, std::size_t region, std::size_t bytes, bool extend,
                           void volatile** out) {
    if (const int code = failure(DiskCall::shm_map)) return code;
    File& file = *handle.file;
    if (!handle.uses_shared_memory) {
        handle.uses_shared_memory = true;
        ++file.shared_memory_users;
    }
    *out = nullptr;
    while (file.regions.size() <= region) {
        if (!extend) return SQLITE_OK;
        if (!has_room(bytes)) {
            has_failed_ = true;
            return SQLITE_IOERR_SHMSIZE;
        }
        file.regions.push_back(std::make_unique<char[]>(bytes));
        used_ += bytes;
    }
    *out = file.regions[region].get();
    return SQLITE_OK;
}

int MemoryDisk::Methods::lock_slots(sqlite3_file* file, int first, int count, int flags) {
    Handle& handle = of(file);
    const std::scoped_lock guard{handle.disk->mutex_};
    File& locked = *handle.file;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        if (const int code = handle.disk->failure(DiskCall::shm_lock)) return code;
    }
    for (int i = first; i < first + count; ++i) {
        const auto slot = static_cast<std::size_t>(i);
        const bool mine = (handle.slots_shared >> i & 1) != 0;
        if ((flags & SQLITE_SHM_LOCK) == 0) continue;
        if (locked.slot_exclusive[slot] != nullptr && locked.slot_exclusive[slot] != &handle) {
            return SQLITE_BUSY;
        }
        if (exclusive && locked.slot_shared[slot] > (mine ? 1 : 0)) return SQLITE_BUSY;
    }
    for (int i = first; i < first + count; ++i) {
        const auto slot = static_cast<std::size_t>(i);
        const unsigned bit = 1U << i;
        const bool mine = (handle.slots_shared & bit) != 0;
        if ((flags & SQLITE_SHM_LOCK) != 0) {
            if (exclusive) {
                locked.slot_exclusive[slot] = &handle;
            } else if (!mine) {
                ++locked.slot_shared[slot];
                handle.slots_shared |= bit;
            }
        } else {
            if (locked.slot_exclusive[slot] == &handle) locked.slot_exclusive[slot] = nullptr;
            if (mine && !exclusive) {
                --locked.slot_shared[slot];
                handle.slots_shared &= ~bit;
            }
        }
    }
    return SQLITE_OK;
}

int MemoryDisk::Methods::leave_shared_memory(sqlite3_file* file, int) {
    Handle& handle = of(file);
    const std::scoped_lock guard{handle.disk->mutex_};
    if (!handle.uses_shared_memory) return SQLITE_OK;
    handle.uses_shared_memory = false;
    File& left = *handle.file;
    for (int i = 0; i < SQLITE_SHM_NLOCK; ++i) {
        const auto slot = static_cast<std::size_t>(i);
        if (left.slot_exclusive[slot] == &handle) left.slot_exclusive[slot] = nullptr;
        if ((handle.slots_shared >> i & 1) != 0) --left.slot_shared[slot];
    }
    handle.slots_shared = 0;
    if (--left.shared_memory_users > 0) return SQLITE_OK;
    constexpr std::size_t region_bytes = 32 * 1024;
    handle.disk->used_ -= left.regions.size() * region_bytes;
    left.regions.clear();
    return SQLITE_OK;
}

int MemoryDisk::Methods::control(sqlite3_file* file, int operation, void* argument) {
    Handle& handle = of(file);
    if (operation == SQLITE_FCNTL_PERSIST_WAL) {
        int& given = *static_cast<int*>(argument);
        if (given < 0) {
            given = handle.persist_wal;
        } else {
            handle.persist_wal = given;
        }
        return SQLITE_OK;
    }
    if (operation == SQLITE_FCNTL_HAS_MOVED) {
        const std::scoped_lock guard{handle.disk->mutex_};
        *static_cast<int*>(argument) = handle.disk->find(handle.file->path) != handle.file;
        return SQLITE_OK;
    }
    return SQLITE_NOTFOUND;
}

const sqlite3_io_methods& MemoryDisk::Methods::table() {
    static const sqlite3_io_methods methods = [] {
        sqlite3_io_methods m{};
        m.iVersion = 2;
        m.xClose = &close;
        m.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 offset) {
            const Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            const auto bytes = static_cast<std::size_t>(count);
            const int code = handle.disk->failure(DiskCall::read);
            if (code == SQLITE_IOERR_SHORT_READ) std::memset(to, 0, bytes);
            if (code != SQLITE_OK) return code;
            const std::size_t got = handle.file->bytes.read(static_cast<std::size_t>(offset),
                                                            static_cast<char*>(to), bytes);
            return got == bytes ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
        };
        m.xWrite = [](sqlite3_file* f, const void* from, int count, sqlite3_int64 offset) {
            const Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            return handle.disk->write(*handle.file, static_cast<const char*>(from),
                                      static_cast<std::size_t>(count),
                                      static_cast<std::size_t>(offset));
        };
        m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
            const Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            return handle.disk->truncate(*handle.file, static_cast<std::size_t>(size));
        };
        m.xSync = [](sqlite3_file* f, int) {
            const Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            return handle.disk->sync(*handle.file);
        };
        m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
            const Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            if (const int code = handle.disk->failure(DiskCall::file_size)) return code;
            *size = static_cast<sqlite3_int64>(handle.file->bytes.size());
            return SQLITE_OK;
        };
        m.xLock = &lock;
        m.xUnlock = &unlock;
        m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
            const Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            *out = handle.file->reserved != nullptr;
            return SQLITE_OK;
        };
        m.xFileControl = &control;
        m.xSectorSize = [](sqlite3_file*) { return 4096; };
        m.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
        m.xShmMap = [](sqlite3_file* f, int region, int bytes, int extend, void volatile** out) {
            Handle& handle = of(f);
            const std::scoped_lock guard{handle.disk->mutex_};
            return handle.disk->map_shared(handle, static_cast<std::size_t>(region),
                                           static_cast<std::size_t>(bytes), extend != 0, out);
        };
        m.xShmLock = &lock_slots;
        m.xShmBarrier = [](sqlite3_file* f) { const std::scoped_lock guard{of(f).disk->mutex_}; };
        m.xShmUnmap = &leave_shared_memory;
        return m;
    }();
    return methods;
}

// ---- from outside

DiskImage MemoryDisk::image() const {
    const std::scoped_lock lock{mutex_};
    DiskImage image;
    for (const auto& [path, file] : files_) image.emplace(path, file->bytes);
    return image;
}

void MemoryDisk::load(const DiskImage& image) {
    const std::scoped_lock lock{mutex_};
    std::error_code ignored;
    for (const auto& [path, file] : files_) {
        if (!image.contains(path)) ::unlink(path.c_str());
    }
    std::map<std::string, FilePtr> files;
    used_ = 0;
    next_number_ = 0;
    for (const auto& [path, bytes] : image) {
        if (!is_placeholder(path)) {
            std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ignored);
            make_placeholder(path);
        }
        const auto file = std::make_shared<File>();
        file->path = path;
        file->number = next_number_++;
        file->bytes = bytes;
        used_ += bytes.size();
        files.emplace(path, file);
    }
    files_ = std::move(files);
}

void MemoryDisk::record() {
    load(image());  // numbers the files anew
    const std::scoped_lock lock{mutex_};
    log_.emplace();
    for (const auto& [path, file] : files_) {
        log_->before.emplace(path, file->bytes);
        log_->paths.push_back(path);
    }
}

OperationLog MemoryDisk::take_log() {
    const std::scoped_lock lock{mutex_};
    OperationLog taken = std::move(*log_);
    log_.reset();
    return taken;
}

std::size_t MemoryDisk::operations() const {
    const std::scoped_lock lock{mutex_};
    return log_ ? log_->operations.size() : 0;
}

void MemoryDisk::log(DiskOperation operation, const File& file, const char* bytes) {
    if (!log_ || file.path.empty()) return;
    operation.file = file.number;
    if (operation.kind == Kind::write) {
        operation.data = log_->data.size();
        log_->data.insert(log_->data.end(), bytes, bytes + operation.bytes);
    }
    log_->operations.push_back(operation);
}

int MemoryDisk::failure(DiskCall call) {
    if (!fault_ || fault_->call != call) return SQLITE_OK;
    ++calls_;
    const bool fails = fault_->for_ever ? calls_ >= fault_->nth : calls_ == fault_->nth;
    if (!fails) return SQLITE_OK;
    has_failed_ = true;
    return fault_->code;
}

void MemoryDisk::fail(const DiskFault& fault) {
    const std::scoped_lock lock{mutex_};
    fault_ = fault;
    calls_ = 0;
    has_failed_ = false;
}

void MemoryDisk::heal() {
    const std::scoped_lock lock{mutex_};
    fault_.reset();
}

bool MemoryDisk::has_failed() const {
    const std::scoped_lock lock{mutex_};
    return has_failed_;
}

void MemoryDisk::limit(std::optional<std::size_t> bytes) {
    const std::scoped_lock lock{mutex_};
    limit_ = bytes;
    if (bytes) has_failed_ = false;
}

std::size_t MemoryDisk::used_bytes() const {
    const std::scoped_lock lock{mutex_};
    return used_;
}

void MemoryDisk::lie_about_syncs(bool lies) {
    const std::scoped_lock lock{mutex_};
    lies_about_syncs_ = lies;
}

void MemoryDisk::lie_about_space(bool lies) {
    const std::scoped_lock lock{mutex_};
    lies_about_space_ = lies;
}

}  // namespace daybook::test
