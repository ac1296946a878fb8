-- Ways to give events of a log on PostgreSQL their positions, each with one call for one event of
-- 200 bytes. See `run` beside this.

DROP SCHEMA IF EXISTS log_order CASCADE;
CREATE SCHEMA log_order;
SET search_path = log_order;

CREATE TABLE event(position bigint PRIMARY KEY, stream bigint NOT NULL, data text NOT NULL);

-- The floor: no order at all. A position may become visible before one that is lower.
CREATE SEQUENCE position;
CREATE FUNCTION by_sequence(to_stream bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event VALUES(nextval('position'), to_stream, repeat('x', 200));
END
$$;

-- The same, with a notification inside the transaction.
CREATE FUNCTION by_sequence_notifying(to_stream bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event VALUES(nextval('position'), to_stream, repeat('x', 200));
    PERFORM pg_notify('log_order', '');
END
$$;

-- What was chosen: a lock of the transaction, and the next position from what can be seen.
CREATE FUNCTION lock_log() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(42);
    RETURN true;
END
$$;
CREATE FUNCTION by_advisory_lock(to_stream bigint, events integer DEFAULT 1) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    locked boolean := lock_log();
BEGIN
    INSERT INTO event
    SELECT head + g, to_stream, repeat('x', 200)
    FROM (SELECT COALESCE(max(position), 0) AS head FROM event) AS last,
         generate_series(1, events) AS g;
END
$$;
-- As a group of callers of one process is stored.
CREATE FUNCTION by_advisory_lock_16(to_stream bigint) RETURNS void LANGUAGE sql AS $$
    SELECT by_advisory_lock(to_stream, 16)
$$;

CREATE FUNCTION by_table_lock(to_stream bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE event IN EXCLUSIVE MODE;
    INSERT INTO event
    SELECT COALESCE(max(position), 0) + 1, to_stream, repeat('x', 200) FROM event;
END
$$;

CREATE TABLE counter(position bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO counter VALUES(0);
CREATE FUNCTION by_counter_row(to_stream bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    next_position bigint;
BEGIN
    UPDATE counter SET position = counter.position + 1 RETURNING position INTO next_position;
    INSERT INTO event VALUES(next_position, to_stream, repeat('x', 200));
END
$$;

-- Positions are given afterwards, by one process that moves what has been committed.
CREATE TABLE pending(event bigint NOT NULL);
CREATE TABLE log(position bigint PRIMARY KEY, event bigint NOT NULL);
CREATE FUNCTION by_sequencer(to_stream bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    number bigint := nextval('position');
BEGIN
    INSERT INTO event VALUES(number, to_stream, repeat('x', 200));
    INSERT INTO pending VALUES(number);
END
$$;
CREATE FUNCTION move_pending() RETURNS void LANGUAGE sql AS $$
    WITH moved AS (DELETE FROM pending RETURNING event)
    INSERT INTO log
    SELECT (SELECT COALESCE(max(position), 0) FROM log) + row_number() OVER (ORDER BY event), event
    FROM moved
$$;
