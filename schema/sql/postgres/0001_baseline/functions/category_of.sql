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
