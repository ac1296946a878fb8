#include "floor.h"

#include <stdio.h>
#include <stdlib.h>

#include "floor_state.h"

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS event(position INTEGER PRIMARY KEY, stream INTEGER NOT NULL,"
    " version INTEGER NOT NULL, type INTEGER NOT NULL, recorded_at INTEGER NOT NULL,"
    " id BLOB NOT NULL, correlation BLOB, data TEXT NOT NULL, metadata TEXT);"
    "CREATE UNIQUE INDEX IF NOT EXISTS event_by_stream ON event(stream, version);";

static const char insert_sql[] =
    "INSERT INTO event(stream, version, type, recorded_at, id, correlation, data, metadata)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?)";

#define SLIM "position, stream, version, type, data"
#define ALL SLIM ", recorded_at, id, correlation, metadata"

int floor_fail(floor_log* log, sqlite3* db) {
    snprintf(log->error, sizeof log->error, "%s", sqlite3_errmsg(db));
    return 1;
}

static int prepare(floor_log* log, const char* sql, sqlite3_stmt** statement) {
    return sqlite3_prepare_v3(log->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int prepare_all(floor_log* log) {
    if (sqlite3_exec(log->db, schema, NULL, NULL, NULL) != SQLITE_OK) return 1;
    return prepare(log, "BEGIN IMMEDIATE", &log->begin) || prepare(log, "COMMIT", &log->commit) ||
           prepare(log, insert_sql, &log->insert) ||
           prepare(log, "SELECT " ALL " FROM event WHERE stream = ? ORDER BY version",
                   &log->load) ||
           prepare(log, "SELECT " ALL " FROM event ORDER BY position", &log->scan) ||
           prepare(log, "SELECT " SLIM " FROM event ORDER BY position", &log->scan_slim) ||
           prepare(log, "SELECT stream FROM event ORDER BY position", &log->scan_key);
}

floor_log* floor_open(const char* path) {
    floor_log* log = calloc(1, sizeof *log);
    if (log == NULL) return NULL;
    // One thread at a time uses it, so it need not pay for a mutex.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &log->db, flags, NULL) != SQLITE_OK || prepare_all(log) != 0)
        floor_fail(log, log->db);
    return log;
}

void floor_close(floor_log* log) {
    if (log == NULL) return;
    sqlite3_finalize(log->begin);
    sqlite3_finalize(log->commit);
    sqlite3_finalize(log->insert);
    sqlite3_finalize(log->load);
    sqlite3_finalize(log->scan);
    sqlite3_finalize(log->scan_slim);
    sqlite3_finalize(log->scan_key);
    sqlite3_close(log->db);
    free(log);
}

const char* floor_error(const floor_log* log) { return log == NULL ? "out of memory" : log->error; }

const char* floor_sqlite_version(void) { return sqlite3_libversion(); }

static int run(sqlite3_stmt* statement) {
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : 1;
}

static int insert(sqlite3_stmt* statement, const floor_event* event) {
    sqlite3_bind_int64(statement, 1, event->stream);
    sqlite3_bind_int64(statement, 2, event->version);
    sqlite3_bind_int64(statement, 3, event->type);
    sqlite3_bind_int64(statement, 4, event->recorded_at);
    sqlite3_bind_blob(statement, 5, event->id, 16, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 6, event->correlation, 16, SQLITE_STATIC);
    sqlite3_bind_text(statement, 7, event->data, (int)event->data_bytes, SQLITE_STATIC);
    sqlite3_bind_text(statement, 8, event->metadata, (int)event->metadata_bytes, SQLITE_STATIC);
    return run(statement);
}

int floor_append(floor_log* log, const floor_event* events, size_t count) {
    // A statement outside a transaction is one: the cheapest way for a single event.
    if (count == 1) return insert(log->insert, events) ? floor_fail(log, log->db) : 0;

    if (run(log->begin) != 0) return floor_fail(log, log->db);
    for (size_t i = 0; i < count; ++i)
        if (insert(log->insert, &events[i]) != 0) return floor_fail(log, log->db);
    return run(log->commit) ? floor_fail(log, log->db) : 0;
}

// Reads the first byte and the size of a text or blob, so that SQLite fetches the column.
static uint64_t read_bytes(sqlite3_stmt* statement, int column) {
    const unsigned char* bytes = sqlite3_column_blob(statement, column);
    return bytes == NULL ? 0 : bytes[0] + (uint64_t)sqlite3_column_bytes(statement, column);
}

static uint64_t number(sqlite3_stmt* statement, int column) {
    return (uint64_t)sqlite3_column_int64(statement, column);
}

void floor_add_row(sqlite3_stmt* statement, floor_sum* sum) {
    sum->rest += number(statement, 0) + number(statement, 1) + number(statement, 3) +
                 *sqlite3_column_text(statement, 4);
    sum->versions += sqlite3_column_int64(statement, 2);
    sum->bytes += sqlite3_column_bytes(statement, 4);
    ++sum->events;
    if (sqlite3_column_count(statement) == 5) return;
    sum->rest += number(statement, 5) + read_bytes(statement, 6) + read_bytes(statement, 7) +
                 read_bytes(statement, 8);
}

static int add_rows(floor_log* log, sqlite3_stmt* statement, floor_sum* sum) {
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) floor_add_row(statement, sum);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : floor_fail(log, log->db);
}

int floor_load(floor_log* log, int64_t stream, floor_sum* sum) {
    sqlite3_bind_int64(log->load, 1, stream);
    return add_rows(log, log->load, sum);
}

int floor_read_all(floor_log* log, floor_sum* sum) { return add_rows(log, log->scan, sum); }

int floor_read_slim(floor_log* log, floor_sum* sum) { return add_rows(log, log->scan_slim, sum); }
