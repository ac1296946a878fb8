-- Appends a group of requests in one call: takes the lock, checks each request's expectation in
-- turn, and stores what was admitted with one INSERT.
--
-- For each request, `positions` and `versions` are those of its last event. A position of 0 says
-- that the stream was not as expected, and the version is what it has. A position of -1 says, when
-- `check_ids` asks for it, that an id was used before. Without `check_ids` such an id fails the
-- whole call, whatever was expected.
--
-- `streams`, `categories` and `types` are the ids of the names, `log` is the oid of the table that
-- they belong to. `continued` says that the event `last_known` was the last one of the log: nobody
-- has appended since.
--
-- With `after_known` this is the second half of a group. If `daybook_append_known` has refused the
-- first, which is if the transaction has not written yet, nothing is done and `positions` is NULL.
CREATE FUNCTION daybook_append_events(
    check_ids      boolean,
    names          daybook_append_names,
    requests       daybook_append_requests,
    slots          daybook_event_slots,
    contents       daybook_event_contents,
    last_known     uuid,
    after_known    boolean,
    OUT positions  bigint[],
    OUT versions   bigint[],
    OUT streams    bigint[],
    OUT categories integer[],
    OUT types      integer[],
    OUT continued  boolean,
    OUT log        bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked       boolean := daybook_lock_store();
    head         bigint;
    heads        bigint[];
    is_new       boolean[] := array_fill(false, ARRAY[cardinality(names.streams)]);
    any_new      boolean := false;
    used_by      integer[];
    stored       boolean := false;
    refused      boolean := false;
    s            integer;
    expected     bigint;
    have         bigint;
BEGIN
    IF after_known AND pg_current_xact_id_if_assigned() IS NULL THEN
        RETURN;
    END IF;
    -- One look at all that is needed; LIMIT keeps it to one search in an index for each name.
    SELECT COALESCE((SELECT max(position) FROM daybook_event), 0),
           (SELECT id = last_known FROM daybook_event ORDER BY position DESC LIMIT 1),
           (SELECT array_agg((SELECT id FROM daybook_event_type
                              WHERE daybook_event_type.name = wanted.name
                                AND daybook_event_type.version = wanted.version))
            FROM unnest(names.types, names.type_versions) AS wanted(name, version)),
           array_agg(found.id), array_agg(found.category), array_agg(COALESCE(found.head, 0)),
           'daybook_event'::regclass::oid::bigint
    INTO head, continued, types, streams, categories, heads, log
    FROM unnest(names.streams) AS wanted(name)
    LEFT JOIN LATERAL (SELECT id, category, (SELECT version FROM daybook_event
                                             WHERE daybook_event.stream = daybook_stream.id
                                             ORDER BY version DESC LIMIT 1) AS head
                       FROM daybook_stream
                       WHERE daybook_stream.name = wanted.name LIMIT 1) AS found ON true;

    IF check_ids THEN
        SELECT array_agg(DISTINCT request) INTO used_by
        FROM unnest(contents.id, slots.request) AS asked(id, request)
        WHERE (SELECT true FROM daybook_event WHERE daybook_event.id = asked.id);
    END IF;

    FOR r IN 1 .. cardinality(requests.stream) LOOP
        s := requests.stream[r];
        expected := requests.expected[r];
        have := heads[s];
        IF used_by IS NOT NULL AND r = ANY(used_by) THEN
            positions[r] := -1;
            versions[r] := have;
        ELSIF expected = -1 OR expected = have OR (expected = -2 AND have > 0) THEN
            IF streams[s] IS NULL THEN
                streams[s] := head + 1;
                is_new[s] := true;
                any_new := true;
            END IF;
            head := head + requests.events[r];
            have := have + requests.events[r];
            heads[s] := have;
            positions[r] := head;
            versions[r] := have;
            stored := true;
        ELSE
            positions[r] := 0;
            versions[r] := have;
            refused := true;
        END IF;
    END LOOP;
    IF refused AND NOT check_ids THEN
        PERFORM daybook_refuse_used(ARRAY(SELECT asked.id FROM unnest(contents.id, slots.request)
                                       AS asked(id, request)
                                  WHERE positions[asked.request] = 0));
    END IF;
    IF NOT stored THEN
        RETURN;
    END IF;

    IF any_new THEN
        categories := daybook_make_streams(names.streams, names.categories, streams, categories,
                                           is_new);
    END IF;
    IF array_position(types, NULL) IS NOT NULL THEN
        SELECT array_agg(daybook_type_of(wanted.name, wanted.version)) INTO types
        FROM unnest(names.types, names.type_versions) AS wanted(name, version);
    END IF;

    INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT positions[request] - requests.events[request] + number,
           streams[requests.stream[request]],
           versions[request] - requests.events[request] + number,
           categories[requests.stream[request]],
           types[type],
           requests.recorded_at[request],
           id, correlation, causation, data, metadata
    FROM (SELECT unnest(slots.request) AS request, unnest(slots.number) AS number,
                 unnest(slots.type) AS type, unnest(contents.id) AS id,
                 unnest(contents.correlation) AS correlation,
                 unnest(contents.causation) AS causation,
                 unnest(contents.data) AS data, unnest(contents.metadata) AS metadata) AS given
    WHERE positions[request] > 0;
END
$$;
