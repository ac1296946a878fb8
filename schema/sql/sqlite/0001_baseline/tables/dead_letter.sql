-- Parked messages, in the order of parking. A row that was discarded stays as a record of that
-- and holds nothing up.
CREATE TABLE daybook_dead_letter(
    number         INTEGER PRIMARY KEY,
    id             BLOB NOT NULL,
    topic          TEXT NOT NULL,
    key            TEXT NOT NULL,
    partition      INTEGER NOT NULL,
    type           TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    data           TEXT NOT NULL,
    headers        TEXT NOT NULL,
    reply_to       TEXT NOT NULL,
    correlation    BLOB,
    causation      BLOB,
    created_at     INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    reason         TEXT NOT NULL,
    error          TEXT NOT NULL,
    receiver       TEXT NOT NULL,
    parked_by      TEXT NOT NULL,
    parked_at      INTEGER NOT NULL,
    discarded_at   INTEGER,
    discard_reason TEXT
) STRICT;

CREATE INDEX daybook_dead_letter_by_id ON daybook_dead_letter(id);
CREATE INDEX daybook_dead_letter_by_key ON daybook_dead_letter(topic, key)
    WHERE discarded_at IS NULL;
