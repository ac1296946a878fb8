#pragma once

#include <stddef.h>
#include <stdint.h>

// The floor: what the same work costs in C on the same SQLite with nothing around it. One table
// that holds the same facts of an event as Daybook's and one index, on stream and version;
// statements kept prepared, whole numbers for streams and types, nothing made, checked, encoded or
// decoded. WAL and synchronous=FULL; all else as SQLite comes. A function that can fail returns 0
// when it worked.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct floor_log floor_log;

typedef struct {
    int64_t stream;
    int64_t version;
    int64_t type;
    int64_t recorded_at;
    const void* id;           // 16 bytes
    const void* correlation;  // 16 bytes
    const char* data;
    size_t data_bytes;
    const char* metadata;
    size_t metadata_bytes;
} floor_event;

// Sums over the rows that were read: enough to check that every column of every event was read.
typedef struct {
    int64_t events;
    int64_t versions;
    int64_t bytes;
    uint64_t rest;  // of the other columns
} floor_sum;

floor_log* floor_open(const char* path);
void floor_close(floor_log* log);
const char* floor_error(const floor_log* log);
const char* floor_sqlite_version(void);

// Stores the events in one transaction; on return they are on disk.
int floor_append(floor_log* log, const floor_event* events, size_t count);
// One stream in order.
int floor_load(floor_log* log, int64_t stream, floor_sum* sum);
// The whole log in order.
int floor_read_all(floor_log* log, floor_sum* sum);
// The same, but no time, no ids and no metadata.
int floor_read_slim(floor_log* log, floor_sum* sum);

// Rebuilds counter(key, events) in a new file at `path`; `names[stream]` is the key. Journal and
// syncs are off and all is one transaction until the file is whole; then it is synced once.
typedef enum {
    floor_fold,      // counts per page of 1,000 events and writes each key of a page once
    floor_fold_key,  // the same, and of each event nothing is read but the stream
    floor_upsert     // writes once for each event
} floor_way;
int floor_rebuild(floor_log* log, floor_way way, const char* path, const char* const* names,
                  size_t streams);
// What such a file holds: how many keys, and their events in all.
int floor_read_counter(const char* path, int64_t* keys, int64_t* events);

#ifdef __cplusplus
}
#endif
