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
