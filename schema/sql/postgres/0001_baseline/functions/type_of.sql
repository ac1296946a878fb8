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
