-- What the program says of its events, one element for each event.
CREATE TYPE daybook_event_contents AS (
    id          uuid[],
    correlation uuid[],
    causation   uuid[],
    data        text[],
    metadata    text[]
);
