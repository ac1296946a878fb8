-- Appends one request of one event, for half the work of `daybook_append_events`. Returns its
-- position (or 0), the version, the ids of stream, category and type, 1 if `continued`, and `log`,
-- as they stand there. NULL where nothing is done.
--
-- The hints count only if `last_known` is still the last event of the log, and that still the table
-- `hints.log`. With `hints.stream` nothing has to be looked up.
CREATE FUNCTION daybook_append_event(
    names       daybook_append_name,
    expected    bigint,
    content     daybook_event_content,
    last_known  uuid,
    after_known boolean,
    hints       daybook_append_hints
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked      boolean := daybook_lock_store();
    log         bigint := 'daybook_event'::regclass::oid::bigint;
    head        bigint;
    continued   boolean;
    stream_id   bigint;
    category_id integer;
    have        bigint := 0;
    type_id     integer;
BEGIN
    IF after_known AND pg_current_xact_id_if_assigned() IS NULL THEN
        RETURN NULL;
    END IF;
    IF hints.stream IS NOT NULL AND hints.log = log THEN
        INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                                  correlation, causation, data, metadata)
        SELECT last.position + 1, hints.stream, hints.version + 1, hints.category, hints.type,
               content.recorded_at, content.id, content.correlation, content.causation,
               content.data, content.metadata
        FROM (SELECT position, id FROM daybook_event ORDER BY position DESC LIMIT 1) AS last
        WHERE last.id = last_known
        RETURNING position INTO head;
        IF FOUND THEN
            RETURN ARRAY[head, hints.version + 1, hints.stream, hints.category, hints.type, 1, log];
        END IF;
    END IF;
    -- An empty log has no streams either.
    SELECT last.position, last.id = last_known, daybook_stream.id, daybook_stream.category
    INTO head, continued, stream_id, category_id
    FROM (SELECT position, id FROM daybook_event ORDER BY position DESC LIMIT 1) AS last
    LEFT JOIN daybook_stream ON daybook_stream.name = names.stream;
    head := COALESCE(head, 0);
    IF stream_id IS NOT NULL THEN
        SELECT version INTO have FROM daybook_event WHERE stream = stream_id
        ORDER BY version DESC LIMIT 1;
    END IF;
    IF NOT (expected IN (-1, have) OR (expected = -2 AND have > 0)) THEN
        PERFORM daybook_refuse_used(ARRAY[content.id]);
        RETURN ARRAY[0, have];
    END IF;
    IF continued AND hints.log = log THEN
        category_id := COALESCE(category_id, hints.category);
        type_id := hints.type;
    END IF;
    IF stream_id IS NULL THEN
        stream_id := head + 1;
        IF category_id IS NULL THEN
            category_id := daybook_category_of(names.category);
        END IF;
        INSERT INTO daybook_stream(id, name, category) VALUES(stream_id, names.stream, category_id);
    END IF;
    IF type_id IS NULL THEN
        type_id := daybook_type_of(names.type, names.type_version::integer);
    END IF;
    INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                              correlation, causation, data, metadata)
    VALUES(head + 1, stream_id, have + 1, category_id, type_id, content.recorded_at, content.id,
           content.correlation, content.causation, content.data, content.metadata);
    RETURN ARRAY[head + 1, have + 1, stream_id, category_id, type_id,
                 COALESCE(continued, false)::integer, log];
END
$$;
