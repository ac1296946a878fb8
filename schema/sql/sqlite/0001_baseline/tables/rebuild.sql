-- A build that is not in service yet, or was left unfinished. The holder of the lease
-- `rebuild:<name>` works at it.
CREATE TABLE daybook_rebuild(
    name        TEXT NOT NULL PRIMARY KEY,
    lifecycle   TEXT NOT NULL,
    version     INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    build       INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    target      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,          -- when the position was written
    error       TEXT NOT NULL DEFAULT ''
) STRICT;
