-- The mirrors that feed this store. Each belongs to the holder of the lease `mirror:<name>`.
CREATE TABLE daybook_mirror(
    name       TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    event      BLOB,
    store      BLOB NOT NULL,
    stored     INTEGER NOT NULL,
    dropped    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
