-- The log. A position is a place in it, 1, 2, 3 …; `category` and `type` stand beside the stream so
-- that a filter is answered before the payload is touched. Instants are microseconds since 1970.
--
-- Foreign keys are enforced, for a program's own tables; the store's own ids are not declared as
-- such, since each event would be looked up in three tables that its ids have just come from.

-- Which store this is: its backups and the copies of its file say the same, and nothing else does.
CREATE TABLE daybook_store(
    id BLOB NOT NULL
) STRICT;

INSERT INTO daybook_store(id) VALUES(randomblob(16));

CREATE TABLE daybook_category(
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE daybook_stream(
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    category INTEGER NOT NULL
) STRICT;

CREATE TABLE daybook_event_type(
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE(name, version)
) STRICT;

CREATE TABLE daybook_event(
    position    INTEGER PRIMARY KEY,
    stream      INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    category    INTEGER NOT NULL,
    type        INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    id          BLOB NOT NULL,
    correlation BLOB,
    causation   BLOB,
    data        TEXT NOT NULL,
    metadata    TEXT
) STRICT;

-- What was recorded is never changed or removed, whoever asks for it.
CREATE TRIGGER daybook_event_is_not_changed BEFORE UPDATE ON daybook_event BEGIN
    SELECT RAISE(ABORT, 'recorded events are never changed: append one that corrects them');
END;

CREATE TRIGGER daybook_event_is_not_removed BEFORE DELETE ON daybook_event BEGIN
    SELECT RAISE(ABORT, 'recorded events are never removed: append one that corrects them');
END;

-- A stream's events in order; also what makes two writers of one version impossible.
CREATE UNIQUE INDEX daybook_event_by_stream ON daybook_event(stream, version);

-- What makes a repeated append harmless.
CREATE UNIQUE INDEX daybook_event_by_id ON daybook_event(id);
