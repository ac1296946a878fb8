-- The log. A position is a place in it, 1, 2, 3 …; `category` and `type` stand beside the stream so
-- that a filter is answered before the payload is touched. Instants are microseconds since 1970.

CREATE TABLE category(
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE stream(
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    category INTEGER NOT NULL REFERENCES category(id)
) STRICT;

CREATE TABLE event_type(
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE(name, version)
) STRICT;

CREATE TABLE event(
    position    INTEGER PRIMARY KEY,
    stream      INTEGER NOT NULL REFERENCES stream(id),
    version     INTEGER NOT NULL,
    category    INTEGER NOT NULL REFERENCES category(id),
    type        INTEGER NOT NULL REFERENCES event_type(id),
    recorded_at INTEGER NOT NULL,
    id          BLOB NOT NULL,
    correlation BLOB,
    causation   BLOB,
    data        TEXT NOT NULL,
    metadata    TEXT
) STRICT;

-- A stream's events in order; also what makes two writers of one version impossible.
CREATE UNIQUE INDEX event_by_stream ON event(stream, version);

-- What makes a repeated append harmless.
CREATE UNIQUE INDEX event_by_id ON event(id);
