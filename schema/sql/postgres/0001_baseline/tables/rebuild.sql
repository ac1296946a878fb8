-- A build that is not in service yet, or was left unfinished. The holder of the lease
-- `rebuild:<name>` works at it.
CREATE TABLE daybook_rebuild(
    name        text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES daybook_projection(name),
    lifecycle   text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    build       bigint NOT NULL,
    position    bigint NOT NULL,
    target      bigint NOT NULL,
    started_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,          -- when the position was written
    error       text COLLATE "C" NOT NULL DEFAULT ''
);
