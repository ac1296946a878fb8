#pragma once

#include <endian.h>
#include <libpq-fe.h>
#include <string.h>

#include "floor_postgres.h"

// Shared by the PostgreSQL floor's own files.

// A one-dimensional array in the binary format.
typedef struct {
    char* bytes;
    size_t size;
    size_t room;
    int32_t count;
} pg_array;

enum { pg_event_columns = 8 };

struct pg_floor {
    PGconn* db;
    pg_array arrays[pg_event_columns];
    char error[256];
};

static inline void pg_put32(char* to, int32_t value) {
    const uint32_t bits = htobe32((uint32_t)value);
    memcpy(to, &bits, sizeof bits);
}
static inline void pg_put64(char* to, int64_t value) {
    const uint64_t bits = htobe64((uint64_t)value);
    memcpy(to, &bits, sizeof bits);
}
static inline int32_t pg_get32(const char* from) {
    uint32_t bits;
    memcpy(&bits, from, sizeof bits);
    return (int32_t)be32toh(bits);
}
static inline int64_t pg_get64(const char* from) {
    uint64_t bits;
    memcpy(&bits, from, sizeof bits);
    return (int64_t)be64toh(bits);
}

void pg_array_begin(pg_array* array, uint32_t element_type);
void pg_array_add(pg_array* array, const void* bytes, size_t size);
void pg_array_add32(pg_array* array, int32_t value);
void pg_array_add64(pg_array* array, int64_t value);
// Writes the count; the whole value.
const char* pg_array_end(pg_array* array);

// Keeps the connection's message for pg_floor_error; returns 1.
int pg_fail(pg_floor* floor);
int pg_script(pg_floor* floor, const char* statements);
// The result of a prepared statement with binary values, or NULL.
PGresult* pg_run(pg_floor* floor, const char* name, int count, const char* const* values,
                 const int* sizes);
// The same for a statement whose rows are not needed; 0 when it worked.
int pg_do(pg_floor* floor, const char* name, int count, const char* const* values,
          const int* sizes);

// The next page of the log behind `position`, with all columns; NULL if it failed.
PGresult* pg_next_page(pg_floor* floor, int64_t position);
enum { pg_position_column, pg_stream_column };
