-- What the program says of one event.
CREATE TYPE daybook_event_content AS (
    recorded_at bigint,
    id          uuid,
    correlation uuid,
    causation   uuid,
    data        text,
    metadata    text
);
