-- The log. A position is a place in it, 1, 2, 3 …; `category` and `type` stand beside the stream so
-- that a filter is answered before the payload is touched. Instants are microseconds since 1970.
--
-- Foreign keys are enforced, for a program's own tables; the store's own ids are not declared as
-- such, since each event would be looked up in three tables that its ids have just come from.

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

-- What makes a repeated append harmless.
CREATE UNIQUE INDEX daybook_event_by_id ON daybook_event(id);
