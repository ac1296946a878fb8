#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"
#include "floor_state.h"

enum { page_events = 1000 };

typedef struct {
    sqlite3* db;
    sqlite3_stmt* upsert;
} target;

// What one page holds of each stream: `counts` by stream, and the streams it touched.
typedef struct {
    int64_t* counts;
    int64_t touched[page_events];
    size_t touched_count;
    size_t events;
} page;

static int open_target(target* to, const char* path) {
    static const char begin[] =
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
        "CREATE TABLE counter(key TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID;"
        "BEGIN";
    static const char upsert[] =
        "INSERT INTO counter(key, events) VALUES(?1, ?2)"
        " ON CONFLICT(key) DO UPDATE SET events = events + excluded.events";
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    unlink(path);
    to->upsert = NULL;
    return sqlite3_open_v2(path, &to->db, flags, NULL) ||
           sqlite3_exec(to->db, begin, NULL, NULL, NULL) ||
           sqlite3_prepare_v3(to->db, upsert, -1, SQLITE_PREPARE_PERSISTENT, &to->upsert, NULL);
}

static int sync_file(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 1;
    const int result = fsync(file);
    close(file);
    return result;
}

static int close_target(floor_log* log, target* to, const char* path, int failed) {
    sqlite3_finalize(to->upsert);
    if (!failed) failed = sqlite3_exec(to->db, "COMMIT", NULL, NULL, NULL);
    if (failed) floor_fail(log, to->db);
    sqlite3_close(to->db);
    return failed || sync_file(path) ? 1 : 0;
}

static int add(target* to, const char* key, int64_t events) {
    sqlite3_bind_text(to->upsert, 1, key, (int)strlen(key), SQLITE_STATIC);
    sqlite3_bind_int64(to->upsert, 2, events);
    const int result = sqlite3_step(to->upsert);
    sqlite3_reset(to->upsert);
    return result == SQLITE_DONE ? 0 : 1;
}

static int flush(target* to, page* now, const char* const* names) {
    int failed = 0;
    for (size_t i = 0; i < now->touched_count && !failed; ++i) {
        const int64_t stream = now->touched[i];
        failed = add(to, names[stream], now->counts[stream]);
        now->counts[stream] = 0;
    }
    now->touched_count = 0;
    now->events = 0;
    return failed;
}

// The next event's stream; -1 at the end, -2 on a failure.
static int64_t next_stream(sqlite3_stmt* scan, int key_only, floor_sum* sum) {
    const int result = sqlite3_step(scan);
    if (result != SQLITE_ROW) return result == SQLITE_DONE ? -1 : -2;
    if (key_only) return sqlite3_column_int64(scan, 0);
    floor_add_row(scan, sum);
    return sqlite3_column_int64(scan, 1);
}

static int fold_all(sqlite3_stmt* scan, int key_only, target* to, page* now,
                    const char* const* names) {
    floor_sum sum = {0};
    int failed = 0;
    int64_t stream = -1;
    while (!failed && (stream = next_stream(scan, key_only, &sum)) >= 0) {
        if (now->counts[stream]++ == 0) now->touched[now->touched_count++] = stream;
        if (++now->events == page_events) failed = flush(to, now, names);
    }
    return failed || stream == -2 ? 1 : flush(to, now, names);
}

static int upsert_all(sqlite3_stmt* scan, target* to, const char* const* names) {
    floor_sum sum = {0};
    int failed = 0;
    int64_t stream = -1;
    while (!failed && (stream = next_stream(scan, 0, &sum)) >= 0)
        failed = add(to, names[stream], 1);
    return failed || stream == -2;
}

int floor_rebuild(floor_log* log, floor_way way, const char* path, const char* const* names,
                  size_t streams) {
    sqlite3_stmt* const scan = way == floor_fold_key ? log->scan_key : log->scan;
    target to = {NULL, NULL};
    page now = {.counts = calloc(streams, sizeof(int64_t))};
    int failed = now.counts == NULL || open_target(&to, path);
    if (!failed && way == floor_upsert) failed = upsert_all(scan, &to, names);
    if (!failed && way != floor_upsert)
        failed = fold_all(scan, way == floor_fold_key, &to, &now, names);
    sqlite3_reset(scan);
    free(now.counts);
    return close_target(log, &to, path, failed);
}

int floor_read_counter(const char* path, int64_t* keys, int64_t* events) {
    sqlite3* db = NULL;
    sqlite3_stmt* sums = NULL;
    int failed =
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ||
        sqlite3_prepare_v2(db, "SELECT count(*), sum(events) FROM counter", -1, &sums, NULL) ||
        sqlite3_step(sums) != SQLITE_ROW;
    if (!failed) {
        *keys = sqlite3_column_int64(sums, 0);
        *events = sqlite3_column_int64(sums, 1);
    }
    sqlite3_finalize(sums);
    sqlite3_close(db);
    return failed;
}
