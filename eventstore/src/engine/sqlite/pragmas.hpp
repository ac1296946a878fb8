#pragma once

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/connection.hpp"

namespace daybook::sqlite {

/// The size of a store's pages, and of one of them in the write-ahead log.
inline constexpr int page_bytes = 8192;
inline constexpr int wal_frame_bytes = page_bytes + 24;

/// A log is checkpointed when it is as long as the store, but no shorter and no longer than this:
/// see docs/decisions/0003-checkpoints.md.
inline constexpr int wal_pages_min = 1'000;
inline constexpr int wal_pages_max = 12'000;
/// A log that a reader has kept from being checkpointed is cut to this when it begins anew.
inline constexpr std::int64_t wal_bytes_kept_max = std::int64_t{wal_pages_max} * wal_frame_bytes;

inline void set_durability(Connection& connection, Durability durability) {
    switch (durability) {
        case Durability::full: connection.run("PRAGMA synchronous = FULL"); break;
        case Durability::normal: connection.run("PRAGMA synchronous = NORMAL"); break;
        case Durability::off: connection.run("PRAGMA synchronous = OFF"); break;
    }
}

/// SQLite 3.7.0 to 3.51.2 can lose track of the write-ahead log when one connection commits while
/// another checkpoints (https://sqlite.org/wal.html, "The WAL-Reset Bug"). Asked at run time: the
/// library is often a shared one.
inline bool checkpoint_must_exclude_commits() noexcept {
    return sqlite3_libversion_number() < 3'051'003;
}

/// Before the last connection of this process is closed: if no other process has the file open
/// either, everything is copied into it then, and the write-ahead log is emptied.
inline void close_last(Connection& connection, Durability durability) noexcept {
    try {
        set_durability(connection, durability);
        connection.integer("PRAGMA user_version");  // opens the log
        connection.empty_log_on_close();
    } catch (const Error&) {
        // A connection that cannot even be asked leaves the log to the next process.
    }
}

/// What a checkpoint has left.
struct Checkpointed {
    int log_pages = 0;
    int copied_pages = 0;
    /// The next commit begins the log anew.
    bool whole() const noexcept { return log_pages <= copied_pages; }
};

/// Copies the write-ahead log into the database file, up to what the oldest reader still needs;
/// nothing while another process does it.
inline Checkpointed checkpoint(Connection& checkpointer) {
    Checkpointed done;
    const int code =
        sqlite3_wal_checkpoint_v2(checkpointer.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                  &done.log_pages, &done.copied_pages);
    if (code == SQLITE_OK) return done;
    if ((code & 0xff) == SQLITE_BUSY) return {};
    checkpointer.fail(code, checkpointer.path() + ": checkpoint");
}

/// The same while `writer` holds the write lock, so that no process can commit meanwhile. Call it
/// with no transaction open.
inline Checkpointed checkpoint_excluding_commits(Connection& writer, Connection& checkpointer) {
    writer.begin(Connection::Begin::immediate);
    const struct RollingBack {
        Connection& writer;
        ~RollingBack() { writer.rollback(); }
    } rolling_back{writer};
    return checkpoint(checkpointer);
}

/// Writes a page as it is, so that the open transaction has something to commit.
inline void write_nothing_new(Connection& writer) {
    writer.run("PRAGMA user_version = " + std::to_string(writer.integer("PRAGMA user_version")));
}

/// Makes the file a WAL database. Two programs that create it at once get in each other's way
/// without SQLite asking the busy handler, so it is tried until `deadline`.
void enable_wal(Connection& connection, std::chrono::steady_clock::time_point deadline);

}  // namespace daybook::sqlite
