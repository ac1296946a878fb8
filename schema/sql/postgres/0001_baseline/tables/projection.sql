-- Read models. Those of async projections live in databases of their own; here stands which one is
-- in service. Those of inline projections live here. Instants are microseconds since 1970.

CREATE TABLE daybook_projection(
    name        text COLLATE "C" NOT NULL PRIMARY KEY,
    lifecycle   text COLLATE "C" NOT NULL CHECK(lifecycle IN ('async', 'inline')),
    version     bigint NOT NULL,          -- of the definition that made the model in service
    fingerprint text COLLATE "C" NOT NULL, -- of that definition
    build       bigint NOT NULL,          -- the one in service: <name>.v<version>.b<build>
    last_build  bigint NOT NULL,          -- no number is given twice
    relations   text COLLATE "C" NOT NULL DEFAULT '',  -- inline: its tables and views, one a line
    halted      bigint NOT NULL DEFAULT 0,
    last_error  text COLLATE "C" NOT NULL DEFAULT '',
    updated_at  bigint NOT NULL
);
