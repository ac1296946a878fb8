-- Inserts the events of a prediction as finished rows, if `last_known` is still the last event of
-- the log, and that still the table with the oid `known_log` (a copy may hold the same events under
-- other ids): then everything in the writer's cache still holds, and nothing has to be looked up.
-- Returns whether it was so; if not, nothing was done.
CREATE FUNCTION daybook_append_known(
    last_known uuid,
    known_log  bigint,
    keys       daybook_event_keys,
    contents   daybook_event_contents
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked boolean := daybook_lock_store();
BEGIN
    INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT generate_series(last.position + 1, last.position + cardinality(contents.id)),
           unnest(keys.stream), unnest(keys.version), unnest(keys.category),
           unnest(keys.type), unnest(keys.recorded_at), unnest(contents.id),
           unnest(contents.correlation), unnest(contents.causation), unnest(contents.data),
           unnest(contents.metadata)
    FROM (SELECT position, id FROM daybook_event ORDER BY position DESC LIMIT 1) AS last
    WHERE last.id = last_known AND known_log = 'daybook_event'::regclass::oid::bigint;
    RETURN FOUND;
END
$$;
