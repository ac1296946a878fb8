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
