-- The names of an append of one event.
CREATE TYPE daybook_append_name AS (
    stream       text,
    category     text,
    type         text,
    type_version bigint
);
