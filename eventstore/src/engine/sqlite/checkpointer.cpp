#include "engine/sqlite/checkpointer.hpp"

#include <algorithm>
#include <filesystem>

#include "daybook/core/error.hpp"

namespace daybook::sqlite {

namespace {

/// How long the log of a store of this size may get.
int due_at(std::int64_t store_pages) {
    return static_cast<int>(std::clamp<std::int64_t>(store_pages, wal_pages_min, wal_pages_max));
}

std::int64_t store_pages(const std::string& path) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return error ? 0 : static_cast<std::int64_t>(bytes / page_bytes);
}

}  // namespace

Checkpointer::Checkpointer(std::string path, Writer& writer, const StoreOptions& options)
    : path_(std::move(path)),
      writer_(writer),
      options_(options),
      due_at_pages_(due_at(store_pages(path_))),
      thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    wanted_changed_.notify_one();
    thread_.join();
}

void Checkpointer::offer(int wal_pages) noexcept {
    if (wal_pages < due_at_pages_.load(std::memory_order_relaxed)) return;
    {
        const std::scoped_lock lock{mutex_};
        if (wanted_) return;
        wanted_ = true;
    }
    wanted_changed_.notify_one();
}

void Checkpointer::run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        const auto due = [this] { return wanted_ || stopping_; };
        if (unfinished_) {
            wanted_changed_.wait_for(lock, next_look, due);
        } else {
            wanted_changed_.wait(lock, due);
        }
        if (stopping_ || !(wanted_ || unfinished_)) continue;
        lock.unlock();
        checkpoint_once();
        lock.lock();
        wanted_ = false;
    }
}

void Checkpointer::checkpoint_once() noexcept {
    try {
        if (!connection_) {
            connection_.emplace(path_, Access::write, options_.busy_wait_max);
            set_durability(*connection_, options_.durability);
        }
        const Checkpointed done = copy_log();
        plan(done);
        warn(done);
    } catch (const std::exception& error) {
        // The log only grows a little longer; a later commit asks again.
        connection_.reset();
        due_at_pages_ += wal_pages_min;
        if (options_.log) options_.log(LogLevel::warning, error.what());
    }
}

Checkpointed Checkpointer::copy_log() {
    Checkpointed done;
    const bool exclude_commits = checkpoint_must_exclude_commits();
    if (!exclude_commits) done = checkpoint(*connection_);
    const auto is_over = [&] { return done.whole() && done.log_pages > wal_pages_cut; };
    if (!exclude_commits && !is_over()) return done;
    const std::scoped_lock no_commits{writer_.mutex};
    try {
        Connection& writer = writer_.connection();
        if (exclude_commits) done = checkpoint_excluding_commits(writer, *connection_);
        if (is_over()) restart_log(writer);
    } catch (...) {
        writer_.rollback();
        throw;
    }
    return done;
}

void Checkpointer::restart_log(Connection& writer) {
    writer.begin(Connection::Begin::immediate);
    write_nothing_new(writer);
    writer.commit();
}

void Checkpointer::plan(const Checkpointed& done) {
    const int due = due_at(store_pages(path_));
    // Where a reader is in the way, each further look finds as little to copy.
    const bool stuck = !done.whole() && done.copied_pages == copied_before_;
    copied_before_ = done.copied_pages;
    due_at_pages_ = stuck ? done.log_pages + due / 4 : due;
    const std::scoped_lock lock{mutex_};
    unfinished_ = !done.whole() && done.log_pages > wal_pages_max;
}

void Checkpointer::warn(const Checkpointed& done) {
    const bool is_long = !done.whole() && done.log_pages > wal_pages_warned;
    if (is_long && !warned_ && options_.log) {
        options_.log(LogLevel::warning,
                     "store '" + path_ + "': the write-ahead log has grown to " +
                         std::to_string(std::int64_t{done.log_pages} * wal_frame_bytes >> 20) +
                         " MiB, because a reader holds an old state of the store: end long "
                         "queries and snapshots");
    }
    warned_ = is_long;
}

}  // namespace daybook::sqlite
