-- The number of a name, given to it if it has none: under the store's lock.
CREATE FUNCTION daybook_category_of(category_name text) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    category_id integer;
BEGIN
    SELECT id INTO category_id FROM daybook_category WHERE name = category_name;
    IF category_id IS NULL THEN
        INSERT INTO daybook_category(name) VALUES(category_name) RETURNING id INTO category_id;
    END IF;
    RETURN category_id;
END
$$;

CREATE FUNCTION daybook_type_of(type_name text, type_version integer) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    type_id integer;
BEGIN
    SELECT id INTO type_id FROM daybook_event_type
    WHERE name = type_name AND version = type_version;
    IF type_id IS NULL THEN
        INSERT INTO daybook_event_type(name, version) VALUES(type_name, type_version)
        RETURNING id INTO type_id;
    END IF;
    RETURN type_id;
END
$$;

-- An id that was used before fails the whole call, as it does where it is inserted.
CREATE FUNCTION daybook_refuse_used(ids uuid[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    used uuid;
BEGIN
    SELECT asked.id INTO used FROM unnest(ids) AS asked(id)
    WHERE (SELECT true FROM daybook_event WHERE daybook_event.id = asked.id) LIMIT 1;
    IF used IS NOT NULL THEN
        RAISE unique_violation USING MESSAGE = 'event id ' || used || ' is stored already';
    END IF;
END
$$;

-- Stores the names that are new, and their categories, with one statement for all.
CREATE FUNCTION daybook_make_streams(
    stream_names       text[],
    stream_categories  text[],
    streams            bigint[],
    categories         integer[],
    is_new             boolean[],
    OUT category_ids   integer[]
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    category_ids := categories;
    FOR s IN 1 .. cardinality(is_new) LOOP
        IF is_new[s] THEN
            -- Most often it is that of the one before.
            IF s > 1 AND stream_categories[s] = stream_categories[s - 1] AND is_new[s - 1] THEN
                category_ids[s] := category_ids[s - 1];
            ELSE
                category_ids[s] := daybook_category_of(stream_categories[s]);
            END IF;
        END IF;
    END LOOP;
    INSERT INTO daybook_stream(id, name, category)
    SELECT id, name, category
    FROM (SELECT unnest(streams) AS id, unnest(stream_names) AS name,
                 unnest(category_ids) AS category, unnest(is_new) AS new) AS given
    WHERE new;
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
-- `streams`, `categories` and `types` are the numbers of the names, `log` is that of the table.
-- `continued` says that the event `last_known` was the last one of the log: nobody has appended
-- since.
--
-- With `after_known` this is the second half of a group. If `daybook_append_known` has refused the
-- first, which is if the transaction has not written yet, nothing is done and `positions` is NULL.
CREATE FUNCTION daybook_append_events(
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
    OUT continued      boolean,
    OUT log            bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked       boolean := daybook_lock_store();
    head         bigint;
    heads        bigint[];
    is_new       boolean[] := array_fill(false, ARRAY[cardinality(stream_names)]);
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
            FROM unnest(type_names, type_versions) AS wanted(name, version)),
           array_agg(found.id), array_agg(found.category), array_agg(COALESCE(found.head, 0)),
           'daybook_event'::regclass::oid::bigint
    INTO head, continued, types, streams, categories, heads, log
    FROM unnest(stream_names) AS wanted(name)
    LEFT JOIN LATERAL (SELECT id, category, (SELECT version FROM daybook_event
                                             WHERE daybook_event.stream = daybook_stream.id
                                             ORDER BY version DESC LIMIT 1) AS head
                       FROM daybook_stream
                       WHERE daybook_stream.name = wanted.name LIMIT 1) AS found ON true;

    IF check_ids THEN
        SELECT array_agg(DISTINCT request) INTO used_by
        FROM unnest(event_id, event_request) AS asked(id, request)
        WHERE (SELECT true FROM daybook_event WHERE daybook_event.id = asked.id);
    END IF;

    FOR r IN 1 .. cardinality(request_stream) LOOP
        s := request_stream[r];
        expected := request_expected[r];
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
            head := head + request_events[r];
            have := have + request_events[r];
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
        PERFORM daybook_refuse_used(ARRAY(SELECT asked.id FROM unnest(event_id, event_request)
                                       AS asked(id, request)
                                  WHERE positions[asked.request] = 0));
    END IF;
    IF NOT stored THEN
        RETURN;
    END IF;

    IF any_new THEN
        categories := daybook_make_streams(stream_names, stream_categories, streams, categories,
                                           is_new);
    END IF;
    IF array_position(types, NULL) IS NOT NULL THEN
        SELECT array_agg(daybook_type_of(wanted.name, wanted.version)) INTO types
        FROM unnest(type_names, type_versions) AS wanted(name, version);
    END IF;

    INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT positions[request] - request_events[request] + number,
           streams[request_stream[request]],
           versions[request] - request_events[request] + number,
           categories[request_stream[request]],
           types[type],
           request_recorded[request],
           id, correlation, causation, data, metadata
    FROM (SELECT unnest(event_request) AS request, unnest(event_number) AS number,
                 unnest(event_type) AS type, unnest(event_id) AS id,
                 unnest(event_correlation) AS correlation, unnest(event_causation) AS causation,
                 unnest(event_data) AS data, unnest(event_metadata) AS metadata) AS given
    WHERE positions[request] > 0;
END
$$;

-- The same for one request of one event, for half the work: its position (or 0), the version, the
-- numbers of stream, category and type, 1 if `continued`, and `log`. NULL where nothing is done.
--
-- What the writer knows (NULL where it does not) counts only if `last_known` is still the last
-- event of the log, and that still the table numbered `known_log`. With `known_stream` it knows
-- everything of a stream that is as expected, and nothing has to be looked up.
CREATE FUNCTION daybook_append_event(
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
    after_known        boolean,
    known_log          bigint,
    known_type         bigint,
    known_category     bigint,
    known_stream       bigint,
    known_version      bigint
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
    IF known_stream IS NOT NULL AND known_log = log THEN
        INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                                  correlation, causation, data, metadata)
        SELECT last.position + 1, known_stream, known_version + 1, known_category, known_type,
               event_recorded, event_id, event_correlation, event_causation, event_data,
               event_metadata
        FROM (SELECT position, id FROM daybook_event ORDER BY position DESC LIMIT 1) AS last
        WHERE last.id = last_known
        RETURNING position INTO head;
        IF FOUND THEN
            RETURN ARRAY[head, known_version + 1, known_stream, known_category, known_type, 1, log];
        END IF;
    END IF;
    -- An empty log has no streams either.
    SELECT last.position, last.id = last_known, daybook_stream.id, daybook_stream.category
    INTO head, continued, stream_id, category_id
    FROM (SELECT position, id FROM daybook_event ORDER BY position DESC LIMIT 1) AS last
    LEFT JOIN daybook_stream ON daybook_stream.name = stream_name;
    head := COALESCE(head, 0);
    IF stream_id IS NOT NULL THEN
        SELECT version INTO have FROM daybook_event WHERE stream = stream_id
        ORDER BY version DESC LIMIT 1;
    END IF;
    IF NOT (expected IN (-1, have) OR (expected = -2 AND have > 0)) THEN
        PERFORM daybook_refuse_used(ARRAY[event_id]);
        RETURN ARRAY[0, have];
    END IF;
    IF continued AND known_log = log THEN
        category_id := COALESCE(category_id, known_category);
        type_id := known_type;
    END IF;
    IF stream_id IS NULL THEN
        stream_id := head + 1;
        IF category_id IS NULL THEN
            category_id := daybook_category_of(stream_category);
        END IF;
        INSERT INTO daybook_stream(id, name, category) VALUES(stream_id, stream_name, category_id);
    END IF;
    IF type_id IS NULL THEN
        type_id := daybook_type_of(type_name, type_version::integer);
    END IF;
    INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                              correlation, causation, data, metadata)
    VALUES(head + 1, stream_id, have + 1, category_id, type_id, event_recorded, event_id,
           event_correlation, event_causation, event_data, event_metadata);
    RETURN ARRAY[head + 1, have + 1, stream_id, category_id, type_id,
                 COALESCE(continued, false)::integer, log];
END
$$;

-- The same for events of which the writer knows everything, if `last_known` is still the last one
-- of the log, and that still the table numbered `known_log` (a copy may hold the same events with
-- other numbers): then what it has learned before is still so, and nothing has to be looked up.
-- Says whether it was; if not, nothing was done.
CREATE FUNCTION daybook_append_known(
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
    event_metadata     text[],
    known_log          bigint
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked boolean := daybook_lock_store();
BEGIN
    INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id,
                      correlation, causation, data, metadata)
    SELECT generate_series(last.position + 1, last.position + cardinality(event_id)),
           unnest(event_stream), unnest(event_version), unnest(event_category),
           unnest(event_type), unnest(event_recorded), unnest(event_id),
           unnest(event_correlation), unnest(event_causation), unnest(event_data),
           unnest(event_metadata)
    FROM (SELECT position, id FROM daybook_event ORDER BY position DESC LIMIT 1) AS last
    WHERE last.id = last_known AND known_log = 'daybook_event'::regclass::oid::bigint;
    RETURN FOUND;
END
$$;
