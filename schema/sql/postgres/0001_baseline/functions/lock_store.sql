-- Every transaction that writes takes this lock first and keeps it until it has committed. The
-- server releases a lock only when the commit is visible, so the holder sees all positions before
-- its own: positions have no gaps and become visible in their order. 1147237730 says "Dayb", so
-- that no other program's advisory lock is met. (One expression, which PostgreSQL inlines: it costs
-- no query of its own.)
CREATE FUNCTION daybook_lock_store() RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_advisory_xact_lock(1147237730, 'daybook_event'::regclass::oid::integer) IS NOT NULL
$$;
