-- What came here from another store, and how far. Each row commits with the events that it speaks
-- of. Positions are the source's; `event` is the id of the event at `position`, by which the source
-- is known again, and `store` the source's identity. Instants are microseconds since 1970.

-- The migration that made this store: one row at most.
CREATE TABLE daybook_migration(
    id         bigint PRIMARY KEY CHECK(id = 1),
    position   bigint NOT NULL,
    event      uuid,
    store      uuid NOT NULL,
    finished   bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL
);

-- The mirrors that feed this store. `epoch` counts their starts: the fence against an older one.
CREATE TABLE daybook_mirror(
    name       text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL,
    event      uuid,
    store      uuid NOT NULL,
    stored     bigint NOT NULL,
    dropped    bigint NOT NULL,
    epoch      bigint NOT NULL,
    updated_at bigint NOT NULL
);

-- How many events of a stream a mirror has left out: by so much its versions are lower here.
CREATE TABLE daybook_mirror_dropped(
    mirror text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY(mirror, stream)
);
