#include "engine/sqlite/checkpointer.hpp"

#include <algorithm>
#include <filesystem>

#include "daybook/core/error.hpp"

namespace daybook::sqlite {

namespace {

/// The length of the log at which a store of this size is checkpointed.
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
        const MutexLock lock{mutex_};
        stopping_ = true;
    }
    wanted_changed_.notify_one();
    thread_.join();
}

void Checkpointer::after_commit(int wal_pages) noexcept {
    if (wal_pages < due_at_pages_.load(std::memory_order_relaxed)) return;
    {
        const MutexLock lock{mutex_};
        if (wanted_) return;
        wanted_ = true;
    }
    wanted_changed_.notify_one();
}

void Checkpointer::run() {
    MutexLock lock{mutex_};
    while (!stopping_) {
        const auto recheck_at = std::chrono::steady_clock::now() + recheck_interval;
        while (!wanted_ && !stopping_) {
            if (!unfinished_) {
                wanted_changed_.wait(lock);
            } else if (wanted_changed_.wait_until(lock, recheck_at) == std::cv_status::timeout) {
                break;
            }
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
        const CheckpointResult done = copy_log();
        schedule_next(done);
        warn(done);
    } catch (const std::exception& error) {
        // Not checkpointing only makes the log longer. A later commit triggers the next attempt.
        connection_.reset();
        due_at_pages_ += wal_pages_min;
        if (options_.log) options_.log(LogLevel::warning, error.what());
    }
}

CheckpointResult Checkpointer::copy_log() {
    CheckpointResult done;
    const bool exclude_commits = checkpoint_must_exclude_commits();
    if (!exclude_commits) done = checkpoint(*connection_);
    const auto is_too_long = [&] {
        return done.is_complete() && done.log_pages > restarted_above_pages;
    };
    if (!exclude_commits && !is_too_long()) return done;
    const MutexLock no_commits{writer_.mutex};
    try {
        Connection& writer = writer_.connection();
        if (exclude_commits) done = checkpoint_excluding_commits(writer, *connection_);
        if (is_too_long()) restart_log(writer);
    } catch (...) {
        writer_.rollback();
        throw;
    }
    return done;
}

void Checkpointer::restart_log(Connection& writer) {
    writer.begin(Connection::TransactionType::immediate);
    write_unchanged_page(writer);
    writer.commit();
}

void Checkpointer::schedule_next(const CheckpointResult& done) {
    const int due = due_at(store_pages(path_));
    // If a reader blocks the checkpoint and it made no progress, the next one comes only after the
    // log has grown by a quarter: until then it would find as little to copy.
    const bool stuck = !done.is_complete() && done.copied_pages == copied_before_;
    copied_before_ = done.copied_pages;
    due_at_pages_ = stuck ? done.log_pages + due / 4 : due;
    const MutexLock lock{mutex_};
    unfinished_ = !done.is_complete() && done.log_pages > wal_pages_max;
}

void Checkpointer::warn(const CheckpointResult& done) {
    const bool is_long = !done.is_complete() && done.log_pages > warned_above_pages;
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
