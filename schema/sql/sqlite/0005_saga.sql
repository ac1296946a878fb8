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

-- What is to happen, and when. `hash` says which definition can act on it, `attempts` how often it
-- was tried by processes that did not know whether they would outlive it.
CREATE TABLE daybook_saga_timer(
    definition TEXT NOT NULL,
    key        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    generation INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(definition, key, kind)
) STRICT;

CREATE INDEX daybook_saga_timer_by_due ON daybook_saga_timer(due_at, definition, key);

-- How far each definition has looked for the events that start it. `begun` counts the processes
-- that took up what follows `position` and have not come through, `attempts` how often one tried
-- the event at `attempted`: both grow only where processes die. The row `#timers` counts those that
-- took up timers.
CREATE TABLE daybook_saga_start(
    definition TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    begun      INTEGER NOT NULL DEFAULT 0,
    attempted  INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Events that could start neither a saga nor an incident in its place, until somebody sees to them.
CREATE TABLE daybook_saga_failed_start(
    definition TEXT NOT NULL,
    position   INTEGER NOT NULL,
    error      TEXT NOT NULL,
    failed_at  INTEGER NOT NULL,
    PRIMARY KEY(definition, position)
) STRICT;
