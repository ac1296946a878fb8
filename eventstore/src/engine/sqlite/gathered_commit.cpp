#include "engine/sqlite/gathered_commit.hpp"

#include <algorithm>
#include <new>

#include "engine/sqlite/pragmas.hpp"

namespace daybook::sqlite {

static_assert(GatheredCommit::bytes_max + wal_frame_bytes < 128 * 1024);

namespace {

constexpr std::size_t header_bytes = 24;

/// The last frame of a commit holds the number of pages of the database, the others hold 0.
bool is_last_of_commit(const char* header) noexcept {
    return std::any_of(header + 4, header + 8, [](char byte) { return byte != 0; });
}

}  // namespace

GatheredCommit::GatheredCommit(sqlite3* database, std::string& frames)
    : sqlite3_io_methods{}, frames_(frames) {
    const int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file_);
    if (code != SQLITE_OK || file_ == nullptr || file_->pMethods == nullptr) return;
    file_methods_ = file_->pMethods;
    sqlite3_io_methods& methods = *this;
    methods = *file_methods_;
    methods.iVersion = std::min(file_methods_->iVersion, 3);
    methods.xWrite = &on_write;
    methods.xRead = &write_gathered_then<&sqlite3_io_methods::xRead>;
    methods.xTruncate = &write_gathered_then<&sqlite3_io_methods::xTruncate>;
    methods.xSync = &write_gathered_then<&sqlite3_io_methods::xSync>;
    methods.xFileSize = &write_gathered_then<&sqlite3_io_methods::xFileSize>;
    file_->pMethods = this;
}

GatheredCommit::~GatheredCommit() {
    frames_.clear();
    // If SQLite has closed the file, it has set other methods, and they must stay.
    if (file_methods_ != nullptr && file_->pMethods == this) file_->pMethods = file_methods_;
}

GatheredCommit& GatheredCommit::from(sqlite3_file* file) noexcept {
    const auto* const self = static_cast<const GatheredCommit*>(file->pMethods);
    return const_cast<GatheredCommit&>(*self);
}

template <auto Method, class... Args>
int GatheredCommit::write_gathered_then(sqlite3_file* file, Args... args) {
    GatheredCommit& self = from(file);
    const int code = self.write_gathered();
    return code == SQLITE_OK ? (self.file_methods_->*Method)(file, args...) : code;
}

int GatheredCommit::on_write(sqlite3_file* file, const void* bytes, int count,
                             sqlite3_int64 offset) {
    GatheredCommit& self = from(file);
    if (self.gather(static_cast<const char*>(bytes), static_cast<std::size_t>(count), offset)) {
        return self.is_complete_ || self.frames_.size() >= bytes_max ? self.write_gathered()
                                                                     : SQLITE_OK;
    }
    return write_gathered_then<&sqlite3_io_methods::xWrite>(file, bytes, count, offset);
}

bool GatheredCommit::gather(const char* bytes, std::size_t count, sqlite3_int64 offset) {
    if (is_complete_) return false;
    const bool is_header = count == header_bytes;
    const bool is_last = is_header && is_last_of_commit(bytes);
    if (frames_.empty()) {
        if (!is_header || is_last) return false;
        offset_ = offset;
    } else if (offset != offset_ + static_cast<sqlite3_int64>(frames_.size())) {
        return false;
    }
    try {
        frames_.append(bytes, count);
    } catch (const std::bad_alloc&) {
        return false;
    }
    is_complete_ = is_last_;
    is_last_ = is_last;
    return true;
}

int GatheredCommit::write_gathered() {
    if (frames_.empty()) return SQLITE_OK;
    const int code =
        file_methods_->xWrite(file_, frames_.data(), static_cast<int>(frames_.size()), offset_);
    frames_.clear();
    return code;
}

}  // namespace daybook::sqlite
