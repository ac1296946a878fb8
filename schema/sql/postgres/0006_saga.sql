-- Sagas. What a saga is stands in its journal, the stream saga-<definition>:<key>; these tables are
-- an index over the journals, written in the same commits, and can be made new from them. Instants
-- are microseconds since 1970.

CREATE TABLE saga(
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
CREATE INDEX saga_by_status ON saga(status, definition, key);

-- What is to happen, and when. `hash` says which definition can act on it.
CREATE TABLE saga_timer(
    definition text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    hash       text COLLATE "C" NOT NULL,
    due_at     bigint NOT NULL,
    PRIMARY KEY(definition, key, kind)
);

CREATE INDEX saga_timer_by_due ON saga_timer(due_at, definition, key);

-- How far each definition has looked for the events that start it.
CREATE TABLE saga_start(
    definition text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL
);
