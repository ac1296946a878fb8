-- Read models. Those of async projections live in databases of their own; here stands which one is
-- in service. Those of inline projections live here. Instants are microseconds since 1970.

CREATE TABLE daybook_projection(
    name        text COLLATE "C" NOT NULL PRIMARY KEY,
    lifecycle   text COLLATE "C" NOT NULL CHECK(lifecycle IN ('async', 'inline')),
    version     bigint NOT NULL,          -- of the definition that made the model in service
    fingerprint text COLLATE "C" NOT NULL,             -- of that definition
    build       bigint NOT NULL,          -- the one in service: <name>.v<version>.b<build>
    last_build  bigint NOT NULL,          -- no number is given twice
    epoch       bigint NOT NULL DEFAULT 0,-- of the newest claim to rebuild it: the fence
    relations   text COLLATE "C" NOT NULL DEFAULT '',  -- inline: its tables and views, one a line
    halted      bigint NOT NULL DEFAULT 0,
    last_error  text COLLATE "C" NOT NULL DEFAULT '',
    updated_at  bigint NOT NULL
);

-- A build that is not in service yet, or was left unfinished. Without an owner nobody works at it.
CREATE TABLE daybook_rebuild(
    name        text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES daybook_projection(name),
    lifecycle   text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    build       bigint NOT NULL,
    owner       text COLLATE "C" NOT NULL,
    epoch       bigint NOT NULL,
    position    bigint NOT NULL,
    target      bigint NOT NULL,
    started_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,          -- the owner's last sign of life
    error       text COLLATE "C" NOT NULL DEFAULT ''
);

-- The checkpoint of each inline model. A read model's own database has these two tables as well
-- (see projections/src/statements.hpp), so that rows and checkpoint always commit together.
CREATE TABLE daybook_checkpoint(
    projection text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL,
    applied    bigint NOT NULL,
    filtered   bigint NOT NULL,
    parked     bigint NOT NULL,
    skipped    bigint NOT NULL,
    epoch      bigint NOT NULL,
    indexed    bigint NOT NULL,
    store      uuid NOT NULL,             -- the identity of the store whose log it is a place in
    event      uuid,                      -- that stands at the position; none before the first
    definition text COLLATE "C" NOT NULL, -- its fingerprint
    CHECK(applied + filtered + parked + skipped = position)
);

-- Events that a model was not given, and why.
CREATE TABLE daybook_set_aside(
    projection   text COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    key          text COLLATE "C" NOT NULL,
    type         text COLLATE "C" NOT NULL,
    parked       bigint NOT NULL,         -- 1: waits to be replayed; 0: skipped
    error        text COLLATE "C" NOT NULL,
    reason       text COLLATE "C" NOT NULL,            -- of who discarded it
    attempts     bigint NOT NULL,
    set_aside_at bigint NOT NULL,
    PRIMARY KEY(projection, position)
);

CREATE INDEX daybook_set_aside_by_key ON daybook_set_aside(projection, parked, key, position);
