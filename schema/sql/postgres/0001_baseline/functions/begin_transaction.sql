-- Begins a transaction that is more than a plain append. Another connection can look up its outcome
-- by its id, in the same life of the server.
CREATE FUNCTION daybook_begin_transaction(OUT transaction text, OUT life text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked boolean := daybook_lock_store();
BEGIN
    transaction := pg_current_xact_id()::text;
    PERFORM setval('daybook_transaction', transaction::bigint);
    SELECT id::text INTO life FROM daybook_server_life;
    IF life IS NULL THEN
        INSERT INTO daybook_server_life VALUES(gen_random_uuid()) RETURNING id::text INTO life;
    END IF;
END
$$;
