-- Which append each event of a group belongs to, and its place in it, from 1.
CREATE TYPE daybook_event_slots AS (
    request integer[],
    number  integer[],
    type    integer[]
);
