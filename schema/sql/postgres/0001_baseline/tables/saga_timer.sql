-- What is to happen, and when. `hash` says which definition can act on it, `attempts` how often it
-- was tried by processes that did not know whether they would outlive it.
CREATE TABLE daybook_saga_timer(
    definition text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    generation bigint NOT NULL,
    hash       text COLLATE "C" NOT NULL,
    due_at     bigint NOT NULL,
    attempts   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY(definition, key, kind)
);

CREATE INDEX daybook_saga_timer_by_due ON daybook_saga_timer(due_at, definition, key);
