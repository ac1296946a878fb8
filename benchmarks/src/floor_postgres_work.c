#include <stdlib.h>

#include "floor_postgres_state.h"

// The floor's projection and its relay.

enum { page_events = 1000 };

typedef struct {
    int64_t* counts;  // by stream
    int64_t touched[page_events];
    size_t touched_count;
} page_sums;

static void fold(page_sums* sums, const PGresult* rows) {
    const int count = PQntuples(rows);
    for (int row = 0; row < count; ++row) {
        const int64_t stream = pg_get64(PQgetvalue(rows, row, pg_stream_column));
        if (sums->counts[stream]++ == 0) sums->touched[sums->touched_count++] = stream;
    }
}

static int write_each(pg_floor* floor, const page_sums* sums, const char* const* names) {
    for (size_t i = 0; i < sums->touched_count; ++i) {
        const int64_t stream = sums->touched[i];
        char events[8];
        pg_put64(events, sums->counts[stream]);
        const char* const values[] = {names[stream], events};
        const int sizes[] = {(int)strlen(names[stream]), sizeof events};
        if (pg_do(floor, "upsert", 2, values, sizes)) return 1;
    }
    return 0;
}

static int write_page(pg_floor* floor, const page_sums* sums, const char* const* names) {
    pg_array* const keys = &floor->arrays[0];
    pg_array* const events = &floor->arrays[1];
    pg_array_begin(keys, 25);
    pg_array_begin(events, 20);
    for (size_t i = 0; i < sums->touched_count; ++i) {
        const int64_t stream = sums->touched[i];
        pg_array_add(keys, names[stream], strlen(names[stream]));
        pg_array_add64(events, sums->counts[stream]);
    }
    const char* const values[] = {pg_array_end(keys), pg_array_end(events)};
    const int sizes[] = {(int)keys->size, (int)events->size};
    return pg_do(floor, "upsert_page", 2, values, sizes);
}

static int flush(pg_floor* floor, pg_floor_way way, page_sums* sums, const char* const* names) {
    const int failed =
        way == pg_floor_fold ? write_page(floor, sums, names) : write_each(floor, sums, names);
    for (size_t i = 0; i < sums->touched_count; ++i) sums->counts[sums->touched[i]] = 0;
    sums->touched_count = 0;
    return failed;
}

int pg_floor_rebuild(pg_floor* floor, pg_floor_way way, const char* const* names, size_t streams) {
    page_sums sums = {calloc(streams, sizeof(int64_t)), {0}, 0};
    int failed = sums.counts == NULL || pg_script(floor, "BEGIN; TRUNCATE counter");
    int64_t position = 0;
    for (int count = 1; count > 0 && !failed;) {
        PGresult* const rows = pg_next_page(floor, position);
        failed = rows == NULL;
        count = failed ? 0 : PQntuples(rows);
        if (count > 0) {
            position = pg_get64(PQgetvalue(rows, count - 1, pg_position_column));
            fold(&sums, rows);
            failed = flush(floor, way, &sums, names);
        }
        PQclear(rows);
    }
    free(sums.counts);
    return failed || pg_script(floor, "COMMIT");
}

int pg_floor_read_counter(pg_floor* floor, int64_t* keys, int64_t* events) {
    PGresult* const row =
        PQexecParams(floor->db, "SELECT count(*), COALESCE(sum(events), 0)::bigint FROM counter", 0,
                     NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(row) != PGRES_TUPLES_OK) {
        PQclear(row);
        return pg_fail(floor);
    }
    *keys = pg_get64(PQgetvalue(row, 0, 0));
    *events = pg_get64(PQgetvalue(row, 0, 1));
    PQclear(row);
    return 0;
}

int pg_floor_fill_outbox(pg_floor* floor, const floor_event* event, int64_t messages) {
    char count[8];
    pg_put64(count, messages);
    const char* const values[] = {event->id, event->data, count};
    const int sizes[] = {16, (int)event->data_bytes, sizeof count};
    return pg_do(floor, "fill_outbox", 3, values, sizes);
}

static int remove_all(pg_floor* floor, const PGresult* rows) {
    pg_array* const sequences = &floor->arrays[0];
    pg_array_begin(sequences, 20);
    const int count = PQntuples(rows);
    for (int row = 0; row < count; ++row)
        pg_array_add(sequences, PQgetvalue(rows, row, 0), sizeof(int64_t));
    const char* const values[] = {pg_array_end(sequences)};
    const int sizes[] = {(int)sequences->size};
    return pg_do(floor, "remove", 1, values, sizes);
}

int pg_floor_relay(pg_floor* floor, int64_t batch, int64_t* messages) {
    char limit[8];
    pg_put64(limit, batch);
    const char* const values[] = {limit};
    const int sizes[] = {sizeof limit};
    *messages = 0;
    while (1) {
        PGresult* const rows = pg_run(floor, "fetch", 1, values, sizes);
        if (rows == NULL) return 1;
        const int count = PQntuples(rows);
        const int failed = count > 0 && remove_all(floor, rows);
        PQclear(rows);
        if (failed) return 1;
        if (count == 0) return 0;
        *messages += count;
    }
}
