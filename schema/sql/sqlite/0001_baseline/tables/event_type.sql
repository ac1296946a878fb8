CREATE TABLE daybook_event_type(
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE(name, version)
) STRICT;
