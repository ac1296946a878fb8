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
