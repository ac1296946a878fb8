-- What came here from another store, and how far. Each row commits with the events that it speaks
-- of. Positions are the source's; `event` is the id of the event at `position`, by which the source
-- is known again, and `store` the source's identity. Instants are microseconds since 1970.

-- The migration that made this store: one row at most.
CREATE TABLE daybook_migration(
    id         INTEGER PRIMARY KEY CHECK(id = 1),
    position   INTEGER NOT NULL,
    event      BLOB,
    store      BLOB NOT NULL,
    finished   INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL
) STRICT;

-- The mirrors that feed this store. `epoch` counts their starts: the fence against an older one.
CREATE TABLE daybook_mirror(
    name       TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    event      BLOB,
    store      BLOB NOT NULL,
    stored     INTEGER NOT NULL,
    dropped    INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- How many events of a stream a mirror has left out: by so much its versions are lower here.
CREATE TABLE daybook_mirror_dropped(
    mirror TEXT NOT NULL,
    stream TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY(mirror, stream)
) STRICT;
