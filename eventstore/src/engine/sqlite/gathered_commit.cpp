#include "engine/sqlite/gathered_commit.hpp"

#include <algorithm>
#include <new>

#include "engine/sqlite/pragmas.hpp"

namespace daybook::sqlite {

static_assert(GatheredCommit::bytes_max + wal_frame_bytes < 128 * 1024);

namespace {

constexpr std::size_t header_bytes = 24;

/// The last frame of a commit says how many pages the database has now, the others say 0.
bool is_last_of_commit(const char* header) noexcept {
    return std::any_of(header + 4, header + 8, [](char byte) { return byte != 0; });
}

}  // namespace

GatheredCommit::GatheredCommit(sqlite3* database, std::string& frames)
    : sqlite3_io_methods{}, frames_(frames) {
    const int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file_);
    if (code != SQLITE_OK || file_ == nullptr || file_->pMethods == nullptr) return;
    own_ = file_->pMethods;
    sqlite3_io_methods& methods = *this;
    methods = *own_;
    methods.iVersion = std::min(own_->iVersion, 3);
    methods.xWrite = &on_write;
    methods.xRead = &after_gathered<&sqlite3_io_methods::xRead>;
    methods.xTruncate = &after_gathered<&sqlite3_io_methods::xTruncate>;
    methods.xSync = &after_gathered<&sqlite3_io_methods::xSync>;
    methods.xFileSize = &after_gathered<&sqlite3_io_methods::xFileSize>;
    file_->pMethods = this;
}

GatheredCommit::~GatheredCommit() {
    frames_.clear();
    // Unless SQLite has closed it.
    if (own_ != nullptr && file_->pMethods == this) file_->pMethods = own_;
}

GatheredCommit& GatheredCommit::of(sqlite3_file* file) noexcept {
    const auto* const self = static_cast<const GatheredCommit*>(file->pMethods);
    return const_cast<GatheredCommit&>(*self);
}

template <auto Method, class... Args>
int GatheredCommit::after_gathered(sqlite3_file* file, Args... args) {
    GatheredCommit& self = of(file);
    const int code = self.write_gathered();
    return code == SQLITE_OK ? (self.own_->*Method)(file, args...) : code;
}

int GatheredCommit::on_write(sqlite3_file* file, const void* bytes, int count,
                             sqlite3_int64 offset) {
    GatheredCommit& self = of(file);
    if (self.gather(static_cast<const char*>(bytes), static_cast<std::size_t>(count), offset)) {
        return self.is_over_ || self.frames_.size() >= bytes_max ? self.write_gathered()
                                                                 : SQLITE_OK;
    }
    return after_gathered<&sqlite3_io_methods::xWrite>(file, bytes, count, offset);
}

bool GatheredCommit::gather(const char* bytes, std::size_t count, sqlite3_int64 offset) {
    if (is_over_) return false;
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
    is_over_ = is_last_;
    is_last_ = is_last;
    return true;
}

int GatheredCommit::write_gathered() {
    if (frames_.empty()) return SQLITE_OK;
    const int code = own_->xWrite(file_, frames_.data(), static_cast<int>(frames_.size()), offset_);
    frames_.clear();
    return code;
}

}  // namespace daybook::sqlite
