-- Sagas. What a saga is stands in its journal, the stream saga-<definition>:<key>; these tables are
-- an index over the journals, written in the same commits, and can be made new from them. Instants
-- are microseconds since 1970.

CREATE TABLE saga(
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
CREATE INDEX saga_by_status ON saga(status, definition, key);

-- What is to happen, and when. `hash` says which definition can act on it.
CREATE TABLE saga_timer(
    definition TEXT NOT NULL,
    key        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    generation INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    PRIMARY KEY(definition, key, kind)
) STRICT;

CREATE INDEX saga_timer_by_due ON saga_timer(due_at, definition, key);

-- How far each definition has looked for the events that start it.
CREATE TABLE saga_start(
    definition TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL
) STRICT;
