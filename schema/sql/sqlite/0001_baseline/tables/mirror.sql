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
