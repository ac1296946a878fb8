-- Read models. Those of async projections live in databases of their own; here stands which one is
-- in service. Those of inline projections live here. Instants are microseconds since 1970.

CREATE TABLE daybook_projection(
    name        TEXT NOT NULL PRIMARY KEY,
    lifecycle   TEXT NOT NULL CHECK(lifecycle IN ('async', 'inline')),
    version     INTEGER NOT NULL,          -- of the definition that made the model in service
    fingerprint TEXT NOT NULL,             -- of that definition
    build       INTEGER NOT NULL,          -- the one in service: <name>.v<version>.b<build>
    last_build  INTEGER NOT NULL,          -- no number is given twice
    relations   TEXT NOT NULL DEFAULT '',  -- inline: its tables and views here, one a line
    halted      INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT '',
    updated_at  INTEGER NOT NULL
) STRICT;
