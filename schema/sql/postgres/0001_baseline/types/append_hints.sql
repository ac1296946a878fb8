-- What a writer's cache holds for the append of one event; NULL where it holds nothing.
CREATE TYPE daybook_append_hints AS (
    log      bigint,         -- the oid of the table that the ids belong to
    type     bigint,
    category bigint,
    stream   bigint,         -- set if the stream is as expected, with all the others
    version  bigint          -- of the stream
);
