-- A build that is not in service yet, or was left unfinished. Without an owner nobody works at it.
CREATE TABLE daybook_rebuild(
    name        TEXT NOT NULL PRIMARY KEY,
    lifecycle   TEXT NOT NULL,
    version     INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    build       INTEGER NOT NULL,
    owner       TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    target      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,          -- the owner's last sign of life
    error       TEXT NOT NULL DEFAULT ''
) STRICT;
