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
