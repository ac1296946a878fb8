#pragma once

#include "floor.h"

// The floor on PostgreSQL: the same as floor.h's with libpq and nothing around it. One table with
// one index beside its key, on stream and version; statements kept prepared, values in the binary
// format, nothing decoded. The server's settings are its own: what Daybook gets, this gets.
// A function that can fail returns 0 when it worked.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pg_floor pg_floor;

// Connects to the schema, and makes it with its tables if `create`.
pg_floor* pg_floor_open(const char* uri, const char* schema, int create);
void pg_floor_close(pg_floor* floor);
const char* pg_floor_error(const pg_floor* floor);

// One event: by a function of the server's that checks the version, and by a plain INSERT.
int pg_floor_call(pg_floor* floor, const floor_event* event);
int pg_floor_insert(pg_floor* floor, const floor_event* event);
// Any number of events by one INSERT from arrays.
int pg_floor_append(pg_floor* floor, const floor_event* events, size_t count);

// Streams by name, and ids that no two events share, in a schema that holds no event yet; then the
// first event of a new stream, by a function of the server's.
int pg_floor_name_streams(pg_floor* floor);
int pg_floor_call_new(pg_floor* floor, const char* name, const floor_event* event);

// One stream in order.
int pg_floor_load(pg_floor* floor, int64_t stream, floor_sum* sum);
// The whole log in order, by pages of 1,000.
int pg_floor_read_all(pg_floor* floor, floor_sum* sum);

// Rebuilds counter(key, events) in one transaction: counts per page of 1,000 events and writes
// each key of a page once. `names[stream]` is the key.
typedef enum {
    pg_floor_fold,      // the keys of a page by one statement with arrays
    pg_floor_fold_each  // a statement for each of them
} pg_floor_way;
int pg_floor_rebuild(pg_floor* floor, pg_floor_way way, const char* const* names, size_t streams);
int pg_floor_read_counter(pg_floor* floor, int64_t* keys, int64_t* events);

// Puts messages with the payload of `event` into the outbox.
int pg_floor_fill_outbox(pg_floor* floor, const floor_event* event, int64_t messages);
// Fetches and deletes by batches until the outbox is empty, in a transaction each; says how many
// messages there were.
int pg_floor_relay(pg_floor* floor, int64_t batch, int64_t* messages);

#ifdef __cplusplus
}
#endif
