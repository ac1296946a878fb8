-- The number of a name, given to it if it has none: under the store's lock.
CREATE FUNCTION category_of(category_name text) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    category_id integer;
BEGIN
    SELECT id INTO category_id FROM category WHERE name = category_name;
    IF category_id IS NULL THEN
        INSERT INTO category(name) VALUES(category_name) RETURNING id INTO category_id;
    END IF;
    RETURN category_id;
END
$$;

CREATE FUNCTION type_of(type_name text, type_version integer) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    type_id integer;
BEGIN
    SELECT id INTO type_id FROM event_type WHERE name = type_name AND version = type_version;
    IF type_id IS NULL THEN
        INSERT INTO event_type(name, version) VALUES(type_name, type_version)
        RETURNING id INTO type_id;
    END IF;
    RETURN type_id;
END
$$;

-- An id that was used before fails the whole call, as it does where it is inserted.
CREATE FUNCTION refuse_used(ids uuid[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    used uuid;
BEGIN
    SELECT asked.id INTO used FROM unnest(ids) AS asked(id)
    WHERE (SELECT true FROM event WHERE event.id = asked.id) LIMIT 1;
    IF used IS NOT NULL THEN
        RAISE unique_violation USING MESSAGE = 'event id ' || used || ' is stored already';
    END IF;
END
$$;

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
-- whole call, whatever was expected.
--
-- `streams`, `categories` and `types` are the numbers of the names. `continued` says that the event
-- `last_known` was the last one of the log: nobody has appended since.
--
-- With `after_known` this is the second half of a group. If `append_known` has refused the first,
-- which is if the transaction has not written yet, nothing is done and `positions` is NULL.
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
    last_known         uuid,
    after_known        boolean,
    OUT positions      bigint[],
    OUT versions       bigint[],
    OUT streams        bigint[],
    OUT categories     integer[],
    OUT types          integer[],
    OUT continued      boolean
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked       boolean := lock_store();
    head         bigint;
    heads        bigint[];
    used         boolean[] := array_fill(false, ARRAY[cardinality(stream_names)]);
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
    SELECT COALESCE((SELECT max(position) FROM event), 0),
           (SELECT id = last_known FROM event ORDER BY position DESC LIMIT 1),
           (SELECT array_agg((SELECT id FROM event_type
                              WHERE event_type.name = wanted.name
                                AND event_type.version = wanted.version))
            FROM unnest(type_names, type_versions) AS wanted(name, version)),
           array_agg(found.id), array_agg(found.category), array_agg(COALESCE(found.head, 0))
    INTO head, continued, types, streams, categories, heads
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
            refused := true;
        END IF;
    END LOOP;
    IF refused AND NOT check_ids THEN
        PERFORM refuse_used(ARRAY(SELECT asked.id FROM unnest(event_id, event_request)
                                       AS asked(id, request)
                                  WHERE positions[asked.request] = 0));
    END IF;
    IF NOT stored THEN
        RETURN;
    END IF;

    IF array_position(streams, NULL) IS NOT NULL THEN
        INSERT INTO stream(name, category)
        SELECT wanted.name, category_of(wanted.category)
        FROM unnest(stream_names, stream_categories, streams, used)
             AS wanted(name, category, id, used)
        WHERE wanted.id IS NULL AND wanted.used;
        SELECT array_agg(found.id), array_agg(found.category) INTO streams, categories
        FROM unnest(stream_names) AS wanted(name)
        LEFT JOIN LATERAL (SELECT id, category FROM stream
                           WHERE stream.name = wanted.name LIMIT 1) AS found ON true;
    END IF;
    IF array_position(types, NULL) IS NOT NULL THEN
        SELECT array_agg(type_of(wanted.name, wanted.version)) INTO types
        FROM unnest(type_names, type_versions) AS wanted(name, version);
    END IF;

    INSERT INTO event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT positions[event_request[e]] - request_events[event_request[e]] + event_number[e],
           streams[request_stream[event_request[e]]],
           versions[event_request[e]] - request_events[event_request[e]] + event_number[e],
           categories[request_stream[event_request[e]]],
           types[event_type[e]],
           request_recorded[event_request[e]],
           event_id[e], event_correlation[e], event_causation[e], event_data[e], event_metadata[e]
    FROM generate_series(1, cardinality(event_id)) AS e
    WHERE positions[event_request[e]] > 0;
END
$$;

-- The same for one request of one event, for half the work: its position (or 0), the version, the
-- numbers of stream, category and type, and 1 if `continued`. NULL where nothing is done.
CREATE FUNCTION append_event(
    stream_name        text,
    stream_category    text,
    type_name          text,
    type_version       bigint,
    expected           bigint,
    event_recorded     bigint,
    event_id           uuid,
    event_correlation  uuid,
    event_causation    uuid,
    event_data         text,
    event_metadata     text,
    last_known         uuid,
    after_known        boolean
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked      boolean := lock_store();
    head        bigint;
    continued   boolean;
    stream_id   bigint;
    category_id integer;
    have        bigint;
    type_id     integer;
BEGIN
    IF after_known AND pg_current_xact_id_if_assigned() IS NULL THEN
        RETURN NULL;
    END IF;
    -- An empty log has no streams and no types either.
    SELECT last.position, last.id = last_known, stream.id, stream.category,
           (SELECT version FROM event WHERE event.stream = stream.id
            ORDER BY version DESC LIMIT 1),
           (SELECT event_type.id FROM event_type
            WHERE event_type.name = type_name AND event_type.version = type_version)
    INTO head, continued, stream_id, category_id, have, type_id
    FROM (SELECT position, id FROM event ORDER BY position DESC LIMIT 1) AS last
    LEFT JOIN stream ON stream.name = stream_name;
    head := COALESCE(head, 0);
    have := COALESCE(have, 0);
    IF NOT (expected IN (-1, have) OR (expected = -2 AND have > 0)) THEN
        PERFORM refuse_used(ARRAY[event_id]);
        RETURN ARRAY[0, have];
    END IF;
    IF stream_id IS NULL THEN
        INSERT INTO stream(name, category) VALUES(stream_name, category_of(stream_category))
        RETURNING id, category INTO stream_id, category_id;
    END IF;
    IF type_id IS NULL THEN
        type_id := type_of(type_name, type_version::integer);
    END IF;
    INSERT INTO event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    VALUES(head + 1, stream_id, have + 1, category_id, type_id, event_recorded, event_id,
           event_correlation, event_causation, event_data, event_metadata);
    RETURN ARRAY[head + 1, have + 1, stream_id, category_id, type_id,
                 COALESCE(continued, false)::integer];
END
$$;

-- The same for events of which the writer knows everything, if `last_known` is still the last one
-- of the log: then what it has learned before is still so, and nothing has to be looked up. Says
-- whether it was; if not, nothing was done.
CREATE FUNCTION append_known(
    last_known         uuid,
    event_stream       bigint[],
    event_version      bigint[],
    event_category     integer[],
    event_type         integer[],
    event_recorded     bigint[],
    event_id           uuid[],
    event_correlation  uuid[],
    event_causation    uuid[],
    event_data         text[],
    event_metadata     text[]
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked boolean := lock_store();
BEGIN
    INSERT INTO event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT generate_series(last.position + 1, last.position + cardinality(event_id)),
           unnest(event_stream), unnest(event_version), unnest(event_category),
           unnest(event_type), unnest(event_recorded), unnest(event_id),
           unnest(event_correlation), unnest(event_causation), unnest(event_data),
           unnest(event_metadata)
    FROM (SELECT position, id FROM event ORDER BY position DESC LIMIT 1) AS last
    WHERE last.id = last_known;
    RETURN FOUND;
END
$$;
