-- Messages between programs and parts of programs. Instants are microseconds since 1970.
--
-- An outbox row waits until its message was delivered and is then deleted, so this is a short
-- table. What it waits for stands in `retry_at`:
--     NULL                 for its turn; for `due_at`, if that is after `created_at`
--     an instant           for the next attempt after a failed one, or for its replay; for a
--                          program that has a receiver (`unhandled` is 1), at most until then
--     9223372036854775807  for another message of its topic and key that is tried again or parked
-- `waits_until` is that instant, NULL for "ready at once": every look at the queue goes over it.
-- `bytes` is the size of `data`, or more, so that large data need not be read to be left out.
-- `waits_since` says when an instant was put there: in the future, if the clock was set back since.

CREATE TABLE daybook_outbox(
    sequence       INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    topic          TEXT NOT NULL,
    key            TEXT NOT NULL,
    partition      INTEGER NOT NULL,
    type           TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    data           TEXT NOT NULL,
    bytes          INTEGER NOT NULL,
    headers        TEXT NOT NULL DEFAULT '',
    reply_to       TEXT NOT NULL DEFAULT '',
    correlation    BLOB,
    causation      BLOB,
    created_at     INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    retry_at       INTEGER,
    waits_since    INTEGER,
    unhandled      INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT,
    waits_until    INTEGER GENERATED ALWAYS AS (
        COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END)
    ) VIRTUAL
) STRICT;

-- The relay's queue: what is ready at once (NULL) by sequence, the rest by instant.
CREATE INDEX daybook_outbox_by_wait ON daybook_outbox(waits_until, sequence);

-- What waits for an instant, in the order in which it began to: what was left to other programs,
-- and the rest. One index for both, because each one costs every message.
CREATE INDEX daybook_outbox_by_start_of_wait ON daybook_outbox(unhandled, waits_since, sequence)
    WHERE waits_since IS NOT NULL;

-- The keys that do not move, and what waits behind them.
CREATE INDEX daybook_outbox_by_blocked_key ON daybook_outbox(topic, key, retry_at)
    WHERE retry_at IS NOT NULL;
