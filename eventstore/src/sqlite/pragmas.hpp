#pragma once

#include "daybook/eventstore/engine.hpp"
#include "sqlite/connection.hpp"

namespace daybook::sqlite {

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

/// Copies the write-ahead log into the database file; how far it came does not matter, the rest is
/// for the next time.
inline void checkpoint(Connection& checkpointer) noexcept {
    sqlite3_wal_checkpoint_v2(checkpointer.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                              nullptr);
}

/// The same while `writer` holds the write lock, so that no process can commit meanwhile. Call it
/// with no transaction open.
inline void checkpoint_excluding_commits(Connection& writer, Connection& checkpointer) {
    writer.run("BEGIN IMMEDIATE");
    checkpoint(checkpointer);
    writer.rollback();
}

/// Writes a page as it is, so that the open transaction has something to commit.
inline void write_nothing_new(Connection& writer) {
    writer.run("PRAGMA user_version = " + std::to_string(writer.integer("PRAGMA user_version")));
}

/// Makes the file a WAL database. Two programs that create it at once get in each other's way
/// without SQLite asking the busy handler, so it is tried until `deadline`.
void enable_wal(Connection& connection, std::chrono::steady_clock::time_point deadline);

}  // namespace daybook::sqlite
