#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/pragmas.hpp"
#include "engine/sqlite/writer.hpp"

namespace daybook::sqlite {

/// Keeps the write-ahead log short, on a thread of its own, so that no commit waits for it. Commits
/// reuse the pages of a log that was copied into the store, because that is much cheaper than
/// growing a file. The log's file is truncated only after a reader has made it grow beyond its
/// limit.
class Checkpointer {
public:
    Checkpointer(std::string path, Writer& writer, const StoreOptions& options);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    /// Called after each commit with the length of the log. Wakes the thread if a checkpoint is
    /// due.
    void after_commit(int wal_pages) noexcept;

private:
    /// A log above this (256 MiB) is reported: a reader holds an old state of the store.
    static constexpr int warned_above_pages = 32'768;
    /// A log above this is restarted, and so truncated, without waiting for a commit.
    static constexpr int restarted_above_pages = 2 * wal_pages_max;
    /// How often a checkpoint is tried again that a reader kept from copying the whole log.
    static constexpr std::chrono::milliseconds recheck_interval{500};

    void run();
    void checkpoint_once() noexcept;
    CheckpointResult copy_log();
    /// Commits an unchanged page, with which the log starts again at its first page. SQLite then
    /// truncates the file to its limit.
    void restart_log(Connection& writer);
    /// Sets the length of the log at which the next checkpoint is due.
    void schedule_next(const CheckpointResult& done);
    void warn(const CheckpointResult& done);

    const std::string path_;
    Writer& writer_;
    const StoreOptions options_;
    std::optional<Connection> connection_;  ///< used by the thread alone
    bool warned_ = false;                   ///< used by the thread alone
    int copied_before_ = 0;                 ///< used by the thread alone
    std::atomic<int> due_at_pages_;
    Mutex mutex_;
    ConditionVariable wanted_changed_;
    bool wanted_ DAYBOOK_GUARDED_BY(mutex_) = false;
    bool unfinished_ DAYBOOK_GUARDED_BY(mutex_) = false;  ///< a reader was in the way
    bool stopping_ DAYBOOK_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace daybook::sqlite
