-- Sagas. What a saga is stands in its journal, the stream saga-<definition>:<key>; these tables are
-- an index over the journals, written in the same commits, and can be made new from them. Instants
-- are microseconds since 1970.

CREATE TABLE daybook_saga(
    definition      TEXT NOT NULL,
    key             TEXT NOT NULL,
    generation      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    hash            TEXT NOT NULL,
    status          TEXT NOT NULL,
    step            TEXT,
    error           TEXT,
    journal_version INTEGER NOT NULL,
    waiting_since   INTEGER,
    due_at          INTEGER,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY(definition, key)
) STRICT;

-- Those that have not ended, and those of one status.
CREATE INDEX daybook_saga_by_status ON daybook_saga(status, definition, key);
