-- Read models. Those of async projections live in databases of their own; here stands which one is
-- in service. Those of inline projections live here. Instants are microseconds since 1970.

CREATE TABLE daybook_projection(
    name        TEXT NOT NULL PRIMARY KEY,
    lifecycle   TEXT NOT NULL CHECK(lifecycle IN ('async', 'inline')),
    version     INTEGER NOT NULL,          -- of the definition that made the model in service
    fingerprint TEXT NOT NULL,             -- of that definition
    build       INTEGER NOT NULL,          -- the one in service: <name>.v<version>.b<build>
    last_build  INTEGER NOT NULL,          -- no number is given twice
    epoch       INTEGER NOT NULL DEFAULT 0,-- of the newest claim to rebuild it: the fence
    relations   TEXT NOT NULL DEFAULT '',  -- inline: its tables and views here, one a line
    halted      INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT '',
    updated_at  INTEGER NOT NULL
) STRICT;

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

-- The checkpoint of each inline model. A read model's own database has these two tables as well
-- (see projections/src/statements.hpp), so that rows and checkpoint always commit together.
CREATE TABLE daybook_checkpoint(
    projection TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    applied    INTEGER NOT NULL,
    filtered   INTEGER NOT NULL,
    parked     INTEGER NOT NULL,
    skipped    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    indexed    INTEGER NOT NULL,
    store      BLOB NOT NULL,             -- the identity of the store whose log it is a place in
    event      BLOB,                      -- that stands at the position; none before the first
    definition TEXT NOT NULL, -- its fingerprint
    CHECK(applied + filtered + parked + skipped = position)
) STRICT;

-- Events that a model was not given, and why.
CREATE TABLE daybook_set_aside(
    projection   TEXT NOT NULL,
    position     INTEGER NOT NULL,
    key          TEXT NOT NULL,
    type         TEXT NOT NULL,
    parked       INTEGER NOT NULL,         -- 1: waits to be replayed; 0: skipped
    error        TEXT NOT NULL,
    reason       TEXT NOT NULL,            -- of who discarded it
    attempts     INTEGER NOT NULL,
    set_aside_at INTEGER NOT NULL,
    PRIMARY KEY(projection, position)
) STRICT;

CREATE INDEX daybook_set_aside_by_key ON daybook_set_aside(projection, parked, key, position);
