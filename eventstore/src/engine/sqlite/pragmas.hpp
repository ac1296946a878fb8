#pragma once

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/connection.hpp"

namespace daybook::sqlite {

/// The size of a page of the store, and of a frame, a page with its header, in the log.
inline constexpr int page_bytes = 8192;
inline constexpr int wal_frame_bytes = page_bytes + 24;

/// A log is checkpointed when it is as long as the store, within these limits. See
/// docs/decisions/0003-checkpoints.md.
inline constexpr int wal_pages_min = 1'000;
inline constexpr int wal_pages_max = 12'000;
/// A log that has grown while a reader blocked checkpoints is truncated to this when it starts
/// again at its first page.
inline constexpr std::int64_t wal_bytes_kept_max = std::int64_t{wal_pages_max} * wal_frame_bytes;

inline void set_durability(Connection& connection, Durability durability) {
    switch (durability) {
        case Durability::full: connection.run("PRAGMA synchronous = FULL"); break;
        case Durability::normal: connection.run("PRAGMA synchronous = NORMAL"); break;
        case Durability::off: connection.run("PRAGMA synchronous = OFF"); break;
    }
}

/// SQLite 3.7.0 to 3.51.2 can lose track of the write-ahead log when one connection commits while
/// another checkpoints (https://sqlite.org/wal.html, "The WAL-Reset Bug"). Checked at run time,
/// because the library is often a shared one.
inline bool checkpoint_must_exclude_commits() noexcept {
    return sqlite3_libversion_number() < 3'051'003;
}

/// Called before the last connection of this process is closed. If no other process has the file
/// open, closing it then copies the write-ahead log into the file and empties the log.
inline void close_last(Connection& connection, Durability durability) noexcept {
    try {
        set_durability(connection, durability);
        connection.integer("PRAGMA user_version");  // opens the log
        connection.empty_log_on_close();
    } catch (const Error&) {
        // The log stays as it is, and the next process that opens the store reads it.
    }
}

/// The result of a checkpoint.
struct CheckpointResult {
    int log_pages = 0;
    int copied_pages = 0;
    /// Everything was copied: the next commit starts again at the log's first page.
    bool is_complete() const noexcept { return log_pages <= copied_pages; }
};

/// Copies the write-ahead log into the database file, as far as no reader needs an older state.
/// Copies nothing while another process runs a checkpoint.
inline CheckpointResult checkpoint(Connection& checkpointer) {
    CheckpointResult done;
    const int code =
        sqlite3_wal_checkpoint_v2(checkpointer.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                  &done.log_pages, &done.copied_pages);
    if (code == SQLITE_OK) return done;
    if ((code & 0xff) == SQLITE_BUSY) return {};
    checkpointer.fail(code, checkpointer.path() + ": checkpoint");
}

/// The same while `writer` holds the write lock, so that no process can commit meanwhile. Called
/// without an open transaction.
inline CheckpointResult checkpoint_excluding_commits(Connection& writer, Connection& checkpointer) {
    writer.begin(Connection::TransactionType::immediate);
    const struct RollingBack {
        Connection& writer;
        ~RollingBack() { writer.rollback(); }
    } rolling_back{writer};
    return checkpoint(checkpointer);
}

/// Writes a page with the content it has, so that the open transaction has something to commit.
inline void write_unchanged_page(Connection& writer) {
    writer.run("PRAGMA user_version = " + std::to_string(writer.integer("PRAGMA user_version")));
}

/// Sets the file to WAL mode. If two programs do this at once, one of them fails without a call of
/// the busy handler, so it is tried again until `deadline`.
void enable_wal(Connection& connection, std::chrono::steady_clock::time_point deadline);

}  // namespace daybook::sqlite
