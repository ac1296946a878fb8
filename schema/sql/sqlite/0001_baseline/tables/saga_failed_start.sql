-- Events that could start neither a saga nor an incident in its place, until somebody sees to them.
CREATE TABLE daybook_saga_failed_start(
    definition TEXT NOT NULL,
    position   INTEGER NOT NULL,
    error      TEXT NOT NULL,
    failed_at  INTEGER NOT NULL,
    PRIMARY KEY(definition, position)
) STRICT;
