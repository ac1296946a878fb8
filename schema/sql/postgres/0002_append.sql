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
    head         bigint;
    stream_ids   bigint[];
    categories   integer[];
    heads        bigint[];
    types        integer[];
    used         boolean[];
    used_by      integer[];
    missing      boolean := false;
    stored       boolean := false;
    s            integer;
    expected     bigint;
    have         bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1147237730, 'event'::regclass::oid::integer);
    SELECT COALESCE(max(position), 0) INTO head FROM event;

    SELECT array_agg(found.id ORDER BY found.place) INTO stream_ids
    FROM (SELECT place, (SELECT id FROM stream WHERE stream.name = wanted.name) AS id
          FROM unnest(stream_names) WITH ORDINALITY AS wanted(name, place)) AS found;
    SELECT array_agg(COALESCE(found.version, 0) ORDER BY found.place) INTO heads
    FROM (SELECT place, (SELECT version FROM event WHERE event.stream = wanted.id
                         ORDER BY version DESC LIMIT 1) AS version
          FROM unnest(stream_ids) WITH ORDINALITY AS wanted(id, place)) AS found;

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
            missing := missing OR stream_ids[s] IS NULL;
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

    IF missing THEN
        INSERT INTO category(name)
        SELECT DISTINCT c FROM unnest(stream_categories) AS c
        WHERE NOT EXISTS(SELECT 1 FROM category WHERE name = c);
        INSERT INTO stream(name, category)
        SELECT wanted.name, (SELECT id FROM category WHERE category.name = wanted.category)
        FROM unnest(stream_names, stream_categories, stream_ids, used)
             AS wanted(name, category, id, used)
        WHERE wanted.id IS NULL AND wanted.used;
        SELECT array_agg(found.id ORDER BY found.place) INTO stream_ids
        FROM (SELECT place, (SELECT id FROM stream WHERE stream.name = wanted.name) AS id
              FROM unnest(stream_names) WITH ORDINALITY AS wanted(name, place)) AS found;
    END IF;
    SELECT array_agg((SELECT id FROM category WHERE name = wanted.name) ORDER BY wanted.place)
    INTO categories
    FROM unnest(stream_categories) WITH ORDINALITY AS wanted(name, place);
    types := event_types(type_names, type_versions);

    INSERT INTO event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT positions[e.request] - request_events[e.request] + e.number,
           stream_ids[request_stream[e.request]],
           versions[e.request] - request_events[e.request] + e.number,
           categories[request_stream[e.request]],
           types[e.type],
           request_recorded[e.request],
           e.id, e.correlation, e.causation, e.data, e.metadata
    FROM unnest(event_request, event_number, event_type, event_id, event_correlation,
                event_causation, event_data, event_metadata)
         AS e(request, number, type, id, correlation, causation, data, metadata)
    WHERE positions[e.request] > 0;
END
$$;

-- The ids of event types in the order asked for; those that are new are made.
CREATE FUNCTION event_types(names text[], type_versions integer[]) RETURNS integer[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ids integer[];
BEGIN
    FOR attempt IN 1 .. 2 LOOP
        SELECT array_agg(found.id ORDER BY found.place) INTO ids
        FROM (SELECT place, (SELECT id FROM event_type
                             WHERE event_type.name = wanted.name
                               AND event_type.version = wanted.version) AS id
              FROM unnest(names, type_versions) WITH ORDINALITY
                   AS wanted(name, version, place)) AS found;
        EXIT WHEN array_position(ids, NULL) IS NULL;
        INSERT INTO event_type(name, version)
        SELECT wanted.name, wanted.version
        FROM unnest(names, type_versions, ids) AS wanted(name, version, id)
        WHERE wanted.id IS NULL;
    END LOOP;
    RETURN ids;
END
$$;
