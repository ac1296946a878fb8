-- What each consumer has handled. The mark commits with the effect. `content` is a hash of what
-- the message said.
CREATE TABLE daybook_inbox(
    consumer   TEXT NOT NULL,
    id         BLOB NOT NULL,
    handled_at INTEGER NOT NULL,
    content    INTEGER,
    PRIMARY KEY(consumer, id)
) STRICT, WITHOUT ROWID;
