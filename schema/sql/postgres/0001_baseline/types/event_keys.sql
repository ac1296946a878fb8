-- The columns of finished rows of daybook_event that only the store gives.
CREATE TYPE daybook_event_keys AS (
    stream      bigint[],
    version     bigint[],
    category    integer[],
    type        integer[],
    recorded_at bigint[]
);
