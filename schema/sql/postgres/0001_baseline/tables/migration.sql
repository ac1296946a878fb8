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
