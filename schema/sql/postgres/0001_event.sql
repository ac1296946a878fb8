-- The log. A position is a place in it, 1, 2, 3 …; `category` and `type` stand beside the stream so
-- that a filter is answered before the payload is touched. Instants are microseconds since 1970.
-- Names are compared byte by byte, as on every engine.

-- Which store this is: its backups say the same, and nothing else does.
CREATE TABLE daybook_store(
    id uuid NOT NULL
);

INSERT INTO daybook_store(id) VALUES(gen_random_uuid());

CREATE TABLE daybook_category(
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- (A stream's number is the position of its first event.)
CREATE TABLE daybook_stream(
    id       bigint PRIMARY KEY,
    name     text COLLATE "C" NOT NULL UNIQUE,
    category integer NOT NULL
);

CREATE TABLE daybook_event_type(
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    UNIQUE(name, version)
);

CREATE TABLE daybook_event(
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
CREATE UNIQUE INDEX daybook_event_by_stream ON daybook_event(stream, version);

-- What makes a repeated append harmless.
CREATE UNIQUE INDEX daybook_event_by_id ON daybook_event(id);

-- What was recorded is never changed or removed, whoever asks for it.
CREATE FUNCTION daybook_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'recorded events are never changed or removed: append one that corrects them'
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER daybook_event_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON daybook_event
    FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_change();

-- The transaction of the last unit other than plain appends that has begun: with the head of the
-- log, what tells those who poll that something has changed. Units come one after the other, so of
-- all of them only this one may be under way. A sequence, which is changed in place: of a row that
-- every unit updates the old versions stay beside an old snapshot, and each unit would walk over
-- them all. Whoever may use the store may count.
CREATE SEQUENCE daybook_unit MINVALUE 0 START 0;
GRANT SELECT, UPDATE ON SEQUENCE daybook_unit TO PUBLIC;

-- Every unit that writes takes this lock first and keeps it until it has committed. A lock is given
-- back only when the commit can be seen, so whoever has it sees all positions before its own:
-- positions have no gaps and appear in their order. 1147237730 says "Dayb": these locks are ours.
-- (An expression of one call, so that it costs no query of its own where it is used.)
CREATE FUNCTION daybook_lock_store() RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(1147237730, 'daybook_event'::regclass::oid::integer) IS NOT NULL
$$;

-- Which life of the server this is: what is not logged is gone after a crash, and on a standby that
-- took over. Then the numbers of transactions that were not on disk are given to others.
CREATE UNLOGGED TABLE daybook_server_life(
    id uuid NOT NULL
);

-- Begins a unit. Its transaction's number is what its outcome can be asked for by, on another
-- connection in the same life of the server.
CREATE FUNCTION daybook_begin_unit(OUT transaction text, OUT life text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked boolean := daybook_lock_store();
BEGIN
    transaction := pg_current_xact_id()::text;
    PERFORM setval('daybook_unit', transaction::bigint);
    SELECT id::text INTO life FROM daybook_server_life;
    IF life IS NULL THEN
        INSERT INTO daybook_server_life VALUES(gen_random_uuid()) RETURNING id::text INTO life;
    END IF;
END
$$;
