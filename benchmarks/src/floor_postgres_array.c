#include <stdlib.h>

#include "floor_postgres_state.h"

// Dimensions, whether it may hold NULL, type of the elements, count, lower bound.
enum { header = 20, count_at = 12 };

static char* grow(pg_array* array, size_t more) {
    if (array->size + more > array->room) {
        array->room = 2 * (array->size + more);
        array->bytes = realloc(array->bytes, array->room);
        if (array->bytes == NULL) abort();
    }
    char* const end = array->bytes + array->size;
    array->size += more;
    return end;
}

void pg_array_begin(pg_array* array, uint32_t element_type) {
    array->size = 0;
    array->count = 0;
    char* const at = grow(array, header);
    pg_put32(at, 1);
    pg_put32(at + 4, 0);
    pg_put32(at + 8, (int32_t)element_type);
    pg_put32(at + 16, 1);
}

void pg_array_add(pg_array* array, const void* bytes, size_t size) {
    char* const at = grow(array, 4 + size);
    pg_put32(at, (int32_t)size);
    memcpy(at + 4, bytes, size);
    ++array->count;
}

void pg_array_add32(pg_array* array, int32_t value) {
    char bytes[4];
    pg_put32(bytes, value);
    pg_array_add(array, bytes, sizeof bytes);
}

void pg_array_add64(pg_array* array, int64_t value) {
    char bytes[8];
    pg_put64(bytes, value);
    pg_array_add(array, bytes, sizeof bytes);
}

const char* pg_array_end(pg_array* array) {
    pg_put32(array->bytes + count_at, array->count);
    return array->bytes;
}
