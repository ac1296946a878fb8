-- The appends of a group, one element for each.
CREATE TYPE daybook_append_requests AS (
    stream      integer[],
    expected    bigint[],    -- -1: any version, -2: the stream exists, otherwise its version
    events      integer[],   -- how many
    recorded_at bigint[]
);
