-- The log. A position is a place in it, 1, 2, 3 …; `category` and `type` stand beside the stream so
-- that a filter is answered before the payload is touched. Instants are microseconds since 1970.
-- Names are compared byte by byte, as on every engine.

CREATE TABLE daybook_event(
    position    bigint PRIMARY KEY,
    stream      bigint NOT NULL,
    version     bigint NOT NULL,
    category    integer NOT NULL,
    type        integer NOT NULL,
    recorded_at bigint NOT NULL,
    id          uuid NOT NULL,
    correlation uuid,
    causation   uuid,
    data        text NOT NULL,
    metadata    text
);

-- A stream's events in order; also what makes two writers of one version impossible.
CREATE UNIQUE INDEX daybook_event_by_stream ON daybook_event(stream, version);

-- What makes a repeated append harmless.
CREATE UNIQUE INDEX daybook_event_by_id ON daybook_event(id);
