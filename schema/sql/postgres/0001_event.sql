-- The log. A position is a place in it, 1, 2, 3 …; `category` and `type` stand beside the stream so
-- that a filter is answered before the payload is touched. Instants are microseconds since 1970.
-- Names are compared byte by byte, as on every engine.

CREATE TABLE category(
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE stream(
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text COLLATE "C" NOT NULL UNIQUE,
    category integer NOT NULL
);

CREATE TABLE event_type(
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    UNIQUE(name, version)
);

CREATE TABLE event(
    position    bigint PRIMARY KEY,
    stream      bigint NOT NULL,
    version     bigint NOT NULL,
    category    integer NOT NULL,
    type        integer NOT NULL,
    recorded_at bigint NOT NULL,
    id          uuid NOT NULL,
    correlation uuid,
    causation   uuid,
    data        text NOT NULL,
    metadata    text
);

-- A stream's events in order; also what makes two writers of one version impossible.
CREATE UNIQUE INDEX event_by_stream ON event(stream, version);

-- What makes a repeated append harmless.
CREATE UNIQUE INDEX event_by_id ON event(id);

-- How many units other than plain appends were committed: with the head of the log, what tells
-- those who poll that something has changed.
CREATE TABLE unit(
    number bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO unit(number) VALUES(0);

-- Every unit that writes takes this lock first and keeps it until it has committed. A lock is given
-- back only when the commit can be seen, so whoever has it sees all positions before its own:
-- positions have no gaps and appear in their order. 1147237730 says "Dayb": these locks are ours.
-- (An expression of one call, so that it costs no query of its own where it is used.)
CREATE FUNCTION lock_store() RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(1147237730, 'event'::regclass::oid::integer) IS NOT NULL
$$;

-- Which life of the server this is: what is not logged is gone after a crash, and on a standby that
-- took over. Then the numbers of transactions that were not on disk are given to others.
CREATE UNLOGGED TABLE server_life(
    id uuid NOT NULL
);

-- Begins a unit. Its transaction's number is what its outcome can be asked for by, on another
-- connection in the same life of the server.
CREATE FUNCTION begin_unit(OUT transaction text, OUT life text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked boolean := lock_store();
BEGIN
    UPDATE unit SET number = number + 1;
    transaction := pg_current_xact_id()::text;
    SELECT id::text INTO life FROM server_life;
    IF life IS NULL THEN
        INSERT INTO server_life VALUES(gen_random_uuid()) RETURNING id::text INTO life;
    END IF;
END
$$;
