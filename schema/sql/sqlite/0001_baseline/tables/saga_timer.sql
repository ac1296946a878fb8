-- What is to happen, and when. `hash` says which definition can act on it, `attempts` how often it
-- was tried by processes that did not know whether they would outlive it.
CREATE TABLE daybook_saga_timer(
    definition TEXT NOT NULL,
    key        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    generation INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(definition, key, kind)
) STRICT;

CREATE INDEX daybook_saga_timer_by_due ON daybook_saga_timer(due_at, definition, key);
