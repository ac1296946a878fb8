-- Appends a group of requests in one call: takes the lock, checks each request's expectation in
-- turn, and stores what was admitted with one INSERT.
--
-- Streams and types are given once each; `request_stream` and `event_type` point at them, from 1.
-- `request_expected`: -1 any, -2 the stream exists, otherwise its version. `event_request` is the
-- request that an event belongs to, `event_number` its place in there, from 1.
--
-- For each request, `positions` and `versions` are those of its last event. A position of 0 says
-- that the stream was not as expected, and the version is what it has. A position of -1 says, when
-- `check_ids` asks for it, that an id was used before. Without `check_ids` such an id fails the
-- whole call.
CREATE FUNCTION append_events(
    check_ids          boolean,
    stream_names       text[],
    stream_categories  text[],
    type_names         text[],
    type_versions      integer[],
    request_stream     integer[],
    request_expected   bigint[],
    request_events     integer[],
    request_recorded   bigint[],
    event_request      integer[],
    event_number       integer[],
    event_type         integer[],
    event_id           uuid[],
    event_correlation  uuid[],
    event_causation    uuid[],
    event_data         text[],
    event_metadata     text[],
    OUT positions      bigint[],
    OUT versions       bigint[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked       boolean := lock_store();
    head         bigint;
    stream_ids   bigint[];
    categories   integer[];
    heads        bigint[];
    types        integer[];
    used         boolean[];
    used_by      integer[];
    stored       boolean := false;
    s            integer;
    expected     bigint;
    have         bigint;
BEGIN
    -- One look at all that is needed; LIMIT keeps it to one search in an index for each name.
    SELECT COALESCE((SELECT max(position) FROM event), 0),
           (SELECT array_agg((SELECT id FROM event_type
                              WHERE event_type.name = wanted.name
                                AND event_type.version = wanted.version))
            FROM unnest(type_names, type_versions) AS wanted(name, version)),
           array_agg(found.id), array_agg(found.category), array_agg(COALESCE(found.head, 0))
    INTO head, types, stream_ids, categories, heads
    FROM unnest(stream_names) AS wanted(name)
    LEFT JOIN LATERAL (SELECT id, category, (SELECT version FROM event
                                             WHERE event.stream = stream.id
                                             ORDER BY version DESC LIMIT 1) AS head
                       FROM stream WHERE stream.name = wanted.name LIMIT 1) AS found ON true;

    IF check_ids THEN
        SELECT array_agg(DISTINCT request) INTO used_by
        FROM unnest(event_id, event_request) AS asked(id, request)
        WHERE (SELECT true FROM event WHERE event.id = asked.id);
    END IF;

    FOR r IN 1 .. cardinality(request_stream) LOOP
        s := request_stream[r];
        expected := request_expected[r];
        have := heads[s];
        IF used_by IS NOT NULL AND r = ANY(used_by) THEN
            positions[r] := -1;
            versions[r] := have;
        ELSIF expected = -1 OR expected = have OR (expected = -2 AND have > 0) THEN
            head := head + request_events[r];
            have := have + request_events[r];
            heads[s] := have;
            positions[r] := head;
            versions[r] := have;
            used[s] := true;
            stored := true;
        ELSE
            positions[r] := 0;
            versions[r] := have;
        END IF;
    END LOOP;
    IF NOT stored THEN
        RETURN;
    END IF;

    IF array_position(stream_ids, NULL) IS NOT NULL THEN
        INSERT INTO category(name)
        SELECT DISTINCT c FROM unnest(stream_categories) AS c
        WHERE NOT EXISTS(SELECT 1 FROM category WHERE name = c);
        INSERT INTO stream(name, category)
        SELECT wanted.name, (SELECT id FROM category WHERE category.name = wanted.category)
        FROM unnest(stream_names, stream_categories, stream_ids, used)
             AS wanted(name, category, id, used)
        WHERE wanted.id IS NULL AND wanted.used;
        SELECT array_agg(found.id), array_agg(found.category) INTO stream_ids, categories
        FROM unnest(stream_names) AS wanted(name)
        LEFT JOIN LATERAL (SELECT id, category FROM stream
                           WHERE stream.name = wanted.name LIMIT 1) AS found ON true;
    END IF;
    IF array_position(types, NULL) IS NOT NULL THEN
        INSERT INTO event_type(name, version)
        SELECT wanted.name, wanted.version
        FROM unnest(type_names, type_versions, types) AS wanted(name, version, id)
        WHERE wanted.id IS NULL;
        SELECT array_agg((SELECT id FROM event_type
                          WHERE event_type.name = wanted.name
                            AND event_type.version = wanted.version)) INTO types
        FROM unnest(type_names, type_versions) AS wanted(name, version);
    END IF;

    INSERT INTO event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT positions[event_request[e]] - request_events[event_request[e]] + event_number[e],
           stream_ids[request_stream[event_request[e]]],
           versions[event_request[e]] - request_events[event_request[e]] + event_number[e],
           categories[request_stream[event_request[e]]],
           types[event_type[e]],
           request_recorded[event_request[e]],
           event_id[e], event_correlation[e], event_causation[e], event_data[e], event_metadata[e]
    FROM generate_series(1, cardinality(event_id)) AS e
    WHERE positions[event_request[e]] > 0;
END
$$;

-- The same for one request of one event, for half the work: the position and version, or nothing
-- where there is more to it (a stream or type that is new, a version that is not as expected). Then
-- nothing was done, and append_events is asked.
CREATE FUNCTION append_event(
    stream_name        text,
    type_name          text,
    type_version       bigint,
    expected           bigint,
    event_recorded     bigint,
    event_id           uuid,
    event_correlation  uuid,
    event_causation    uuid,
    event_data         text,
    event_metadata     text
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked      boolean := lock_store();
    stream_id   bigint;
    category_id integer;
    type_id     integer;
    have        bigint;
    head        bigint;
BEGIN
    SELECT stream.id, stream.category,
           COALESCE((SELECT version FROM event WHERE event.stream = stream.id
                     ORDER BY version DESC LIMIT 1), 0),
           (SELECT event_type.id FROM event_type
            WHERE event_type.name = type_name AND event_type.version = type_version),
           COALESCE((SELECT max(position) FROM event), 0)
    INTO stream_id, category_id, have, type_id, head
    FROM stream WHERE stream.name = stream_name;
    IF type_id IS NULL OR expected NOT IN (-1, have) THEN
        RETURN NULL;
    END IF;
    INSERT INTO event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    VALUES(head + 1, stream_id, have + 1, category_id, type_id, event_recorded, event_id,
           event_correlation, event_causation, event_data, event_metadata);
    RETURN ARRAY[head + 1, have + 1];
END
$$;
