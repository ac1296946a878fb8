-- What was recorded is never changed or removed, whoever asks for it.
CREATE FUNCTION daybook_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'recorded events are never changed or removed: append one that corrects them'
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER daybook_event_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON daybook_event
    FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_change();
