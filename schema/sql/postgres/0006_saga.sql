-- Sagas. What a saga is stands in its journal, the stream saga-<definition>:<key>; these tables are
-- an index over the journals, written in the same commits, and can be made new from them. Instants
-- are microseconds since 1970.

CREATE TABLE daybook_saga(
    definition      text COLLATE "C" NOT NULL,
    key             text COLLATE "C" NOT NULL,
    generation      bigint NOT NULL,
    version         bigint NOT NULL,
    hash            text COLLATE "C" NOT NULL,
    status          text COLLATE "C" NOT NULL,
    step            text COLLATE "C",
    error           text COLLATE "C",
    journal_version bigint NOT NULL,
    waiting_since   bigint,
    due_at          bigint,
    updated_at      bigint NOT NULL,
    PRIMARY KEY(definition, key)
);

-- Those that have not ended, and those of one status.
CREATE INDEX daybook_saga_by_status ON daybook_saga(status, definition, key);

-- What is to happen, and when. `hash` says which definition can act on it, `attempts` how often it
-- was tried by processes that did not know whether they would outlive it.
CREATE TABLE daybook_saga_timer(
    definition text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    hash       text COLLATE "C" NOT NULL,
    due_at     bigint NOT NULL,
    attempts   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY(definition, key, kind)
);

CREATE INDEX daybook_saga_timer_by_due ON daybook_saga_timer(due_at, definition, key);

-- How far each definition has looked for the events that start it. `begun` counts the processes
-- that took up what follows `position` and have not come through, `attempts` how often one tried
-- the event at `attempted`: both grow only where processes die. The row `#timers` counts those that
-- took up timers.
CREATE TABLE daybook_saga_start(
    definition text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL,
    begun      bigint NOT NULL DEFAULT 0,
    attempted  bigint NOT NULL DEFAULT 0,
    attempts   bigint NOT NULL DEFAULT 0
);

-- Events that could start neither a saga nor an incident in its place, until somebody sees to them.
CREATE TABLE daybook_saga_failed_start(
    definition text COLLATE "C" NOT NULL,
    position   bigint NOT NULL,
    error      text COLLATE "C" NOT NULL,
    failed_at  bigint NOT NULL,
    PRIMARY KEY(definition, position)
);
