#include "floor_postgres_state.h"

static const char names[] =
    "CREATE TABLE stream("
    " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " name text COLLATE \"C\" NOT NULL UNIQUE);"
    "CREATE UNIQUE INDEX event_by_id ON event(id);"
    "CREATE FUNCTION append_new(name_ text, type_ integer, recorded_at_ bigint, id_ uuid,"
    " correlation_ uuid, data_ text, metadata_ text)"
    " RETURNS bigint LANGUAGE plpgsql AS $$"
    " DECLARE number bigint; stored bigint;"
    " BEGIN"
    "  PERFORM pg_advisory_xact_lock('event'::regclass::oid::bigint);"
    "  SELECT id INTO number FROM stream WHERE name = name_;"
    "  IF number IS NOT NULL THEN RAISE EXCEPTION 'conflict'; END IF;"
    "  INSERT INTO stream(name) VALUES(name_) RETURNING id INTO number;"
    "  INSERT INTO event(stream, version, type, recorded_at, id, correlation, data, metadata)"
    "  VALUES(number, 1, type_, recorded_at_, id_, correlation_, data_, metadata_)"
    "  RETURNING position INTO stored;"
    "  RETURN stored;"
    " END $$;";

enum { new_columns = 7 };

int pg_floor_name_streams(pg_floor* floor) {
    if (pg_script(floor, names)) return 1;
    PGresult* const result =
        PQprepare(floor->db, "new", "SELECT append_new($1, $2, $3, $4, $5, $6, $7)", 0, NULL);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK ? 0 : pg_fail(floor);
}

int pg_floor_call_new(pg_floor* floor, const char* name, const floor_event* event) {
    char type[4];
    char recorded_at[8];
    pg_put32(type, (int32_t)event->type);
    pg_put64(recorded_at, event->recorded_at);
    const char* const values[new_columns] = {
        name, type, recorded_at, event->id, event->correlation, event->data, event->metadata};
    const int sizes[new_columns] = {(int)strlen(name),         4, 8, 16, 16, (int)event->data_bytes,
                                    (int)event->metadata_bytes};
    return pg_do(floor, "new", new_columns, values, sizes);
}
