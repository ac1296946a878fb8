#include "floor_postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "floor_postgres_state.h"

static const char tables[] =
    "CREATE TABLE event("
    " position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " stream bigint NOT NULL, version bigint NOT NULL, type integer NOT NULL,"
    " recorded_at bigint NOT NULL, id uuid NOT NULL, correlation uuid,"
    " data text NOT NULL, metadata text);"
    "CREATE UNIQUE INDEX event_by_version ON event(stream, version);"
    "CREATE TABLE counter(key text COLLATE \"C\" PRIMARY KEY, events bigint NOT NULL);"
    "CREATE TABLE outbox("
    " sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL,"
    " topic text NOT NULL, key text NOT NULL, data text NOT NULL, created_at bigint NOT NULL);"
    "CREATE FUNCTION append_one(stream_ bigint, version_ bigint, type_ integer,"
    " recorded_at_ bigint, id_ uuid, correlation_ uuid, data_ text, metadata_ text)"
    " RETURNS bigint LANGUAGE plpgsql AS $$"
    " DECLARE have bigint; stored bigint;"
    " BEGIN"
    "  PERFORM pg_advisory_xact_lock('event'::regclass::oid::bigint);"
    "  SELECT version INTO have FROM event WHERE stream = stream_ ORDER BY version DESC LIMIT 1;"
    "  IF COALESCE(have, 0) <> version_ - 1 THEN RAISE EXCEPTION 'conflict'; END IF;"
    "  INSERT INTO event(stream, version, type, recorded_at, id, correlation, data, metadata)"
    "  VALUES(stream_, version_, type_, recorded_at_, id_, correlation_, data_, metadata_)"
    "  RETURNING position INTO stored;"
    "  RETURN stored;"
    " END $$;";

#define EVENT_COLUMNS "stream, version, type, recorded_at, id, correlation, data, metadata"

static const struct {
    const char* name;
    const char* text;
} statements[] = {
    {"call", "SELECT append_one($1, $2, $3, $4, $5, $6, $7, $8)"},
    {"insert", "INSERT INTO event(" EVENT_COLUMNS ") VALUES($1, $2, $3, $4, $5, $6, $7, $8)"
               " RETURNING position"},
    {"append",
     "INSERT INTO event(" EVENT_COLUMNS ") SELECT * FROM unnest($1::bigint[], $2::bigint[],"
     " $3::integer[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[], $8::text[])"},
    {"load",
     "SELECT position, " EVENT_COLUMNS " FROM event WHERE stream = $1::bigint ORDER BY version"},
    {"page", "SELECT position, " EVENT_COLUMNS " FROM event WHERE position > $1::bigint"
             " ORDER BY position LIMIT 1000"},
    {"upsert",
     "INSERT INTO counter(key, events) VALUES($1::text, $2::bigint)"
     " ON CONFLICT(key) DO UPDATE SET events = counter.events + excluded.events"},
    {"upsert_page",
     "INSERT INTO counter(key, events) SELECT * FROM unnest($1::text[], $2::bigint[])"
     " ON CONFLICT(key) DO UPDATE SET events = counter.events + excluded.events"},
    {"fill_outbox",
     "INSERT INTO outbox(id, topic, key, data, created_at)"
     " SELECT $1::uuid, 'bookings', 'account-' || n % 1000, $2::text, n"
     " FROM generate_series(1, $3::bigint) AS n"},
    {"fetch",
     "SELECT sequence, id, topic, key, data, created_at FROM outbox ORDER BY sequence"
     " LIMIT $1::bigint"},
    {"remove", "DELETE FROM outbox WHERE sequence = ANY($1::bigint[])"},
};

static const uint32_t event_types[pg_event_columns] = {20, 20, 23, 20, 2950, 2950, 25, 25};

int pg_fail(pg_floor* floor) {
    snprintf(floor->error, sizeof floor->error, "%s", PQerrorMessage(floor->db));
    return 1;
}

int pg_script(pg_floor* floor, const char* text) {
    PGresult* const result = PQexec(floor->db, text);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : pg_fail(floor);
}

static int prepare_all(pg_floor* floor) {
    for (size_t i = 0; i < sizeof statements / sizeof *statements; ++i) {
        PGresult* const result =
            PQprepare(floor->db, statements[i].name, statements[i].text, 0, NULL);
        const ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status != PGRES_COMMAND_OK) return pg_fail(floor);
    }
    return 0;
}

static int enter(pg_floor* floor, const char* schema, int create) {
    char text[256];
    snprintf(text, sizeof text, "CREATE SCHEMA \"%s\"", schema);
    if (create && pg_script(floor, text)) return 1;
    snprintf(text, sizeof text, "SET search_path = \"%s\"; SET jit = off", schema);
    return pg_script(floor, text) || (create && pg_script(floor, tables)) || prepare_all(floor);
}

pg_floor* pg_floor_open(const char* uri, const char* schema, int create) {
    pg_floor* const floor = calloc(1, sizeof *floor);
    if (floor == NULL) return NULL;
    floor->db = PQconnectdb(uri);
    if (PQstatus(floor->db) != CONNECTION_OK) {
        pg_fail(floor);
    } else {
        PQsetNoticeProcessor(floor->db, NULL, NULL);
        enter(floor, schema, create);
    }
    return floor;
}

void pg_floor_close(pg_floor* floor) {
    if (floor == NULL) return;
    for (int i = 0; i < pg_event_columns; ++i) free(floor->arrays[i].bytes);
    PQfinish(floor->db);
    free(floor);
}

const char* pg_floor_error(const pg_floor* floor) {
    return floor == NULL ? "out of memory" : floor->error;
}

PGresult* pg_run(pg_floor* floor, const char* name, int count, const char* const* values,
                 const int* sizes) {
    static const int binary[pg_event_columns] = {1, 1, 1, 1, 1, 1, 1, 1};
    PGresult* const result =
        PQexecPrepared(floor->db, name, count, values, sizes, binary, binary[0]);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
    pg_fail(floor);
    PQclear(result);
    return NULL;
}

int pg_do(pg_floor* floor, const char* name, int count, const char* const* values,
          const int* sizes) {
    PGresult* const result = pg_run(floor, name, count, values, sizes);
    PQclear(result);
    return result == NULL ? 1 : 0;
}

static int run_with_event(pg_floor* floor, const char* name, const floor_event* event) {
    char stream[8];
    char version[8];
    char type[4];
    char recorded_at[8];
    pg_put64(stream, event->stream);
    pg_put64(version, event->version);
    pg_put32(type, (int32_t)event->type);
    pg_put64(recorded_at, event->recorded_at);
    const char* const values[pg_event_columns] = {stream,      version,        type,
                                                  recorded_at, event->id,      event->correlation,
                                                  event->data, event->metadata};
    const int sizes[pg_event_columns] = {
        8, 8, 4, 8, 16, 16, (int)event->data_bytes, (int)event->metadata_bytes};
    return pg_do(floor, name, pg_event_columns, values, sizes);
}

int pg_floor_call(pg_floor* floor, const floor_event* event) {
    return run_with_event(floor, "call", event);
}

int pg_floor_insert(pg_floor* floor, const floor_event* event) {
    return run_with_event(floor, "insert", event);
}

int pg_floor_append(pg_floor* floor, const floor_event* events, size_t count) {
    pg_array* const arrays = floor->arrays;
    for (int i = 0; i < pg_event_columns; ++i) pg_array_begin(&arrays[i], event_types[i]);
    for (size_t i = 0; i < count; ++i) {
        const floor_event* const event = &events[i];
        pg_array_add64(&arrays[0], event->stream);
        pg_array_add64(&arrays[1], event->version);
        pg_array_add32(&arrays[2], (int32_t)event->type);
        pg_array_add64(&arrays[3], event->recorded_at);
        pg_array_add(&arrays[4], event->id, 16);
        pg_array_add(&arrays[5], event->correlation, 16);
        pg_array_add(&arrays[6], event->data, event->data_bytes);
        pg_array_add(&arrays[7], event->metadata, event->metadata_bytes);
    }
    const char* values[pg_event_columns];
    int sizes[pg_event_columns];
    for (int i = 0; i < pg_event_columns; ++i) {
        values[i] = pg_array_end(&arrays[i]);
        sizes[i] = (int)arrays[i].size;
    }
    return pg_do(floor, "append", pg_event_columns, values, sizes);
}

static void add_rows(const PGresult* rows, floor_sum* sum) {
    const int count = PQntuples(rows);
    for (int row = 0; row < count; ++row) {
        sum->events += 1;
        sum->versions += pg_get64(PQgetvalue(rows, row, 2));
        sum->bytes += PQgetlength(rows, row, 7);
        sum->rest += (uint64_t)pg_get64(PQgetvalue(rows, row, pg_position_column)) +
                     (uint64_t)pg_get64(PQgetvalue(rows, row, pg_stream_column)) +
                     (uint64_t)pg_get32(PQgetvalue(rows, row, 3)) +
                     (uint64_t)pg_get64(PQgetvalue(rows, row, 4)) +
                     (uint64_t)*PQgetvalue(rows, row, 5) + (uint64_t)*PQgetvalue(rows, row, 6) +
                     (uint64_t)*PQgetvalue(rows, row, 7) + (uint64_t)*PQgetvalue(rows, row, 8);
    }
}

int pg_floor_load(pg_floor* floor, int64_t stream, floor_sum* sum) {
    char wanted[8];
    pg_put64(wanted, stream);
    const char* const values[] = {wanted};
    const int sizes[] = {sizeof wanted};
    PGresult* const rows = pg_run(floor, "load", 1, values, sizes);
    if (rows == NULL) return 1;
    add_rows(rows, sum);
    PQclear(rows);
    return 0;
}

PGresult* pg_next_page(pg_floor* floor, int64_t position) {
    char after[8];
    pg_put64(after, position);
    const char* const values[] = {after};
    const int sizes[] = {sizeof after};
    return pg_run(floor, "page", 1, values, sizes);
}

int pg_floor_read_all(pg_floor* floor, floor_sum* sum) {
    int64_t position = 0;
    for (int count = 1; count > 0;) {
        PGresult* const rows = pg_next_page(floor, position);
        if (rows == NULL) return 1;
        count = PQntuples(rows);
        add_rows(rows, sum);
        if (count > 0) position = pg_get64(PQgetvalue(rows, count - 1, pg_position_column));
        PQclear(rows);
    }
    return 0;
}
