CREATE TABLE daybook_stream(
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    category INTEGER NOT NULL
) STRICT;
