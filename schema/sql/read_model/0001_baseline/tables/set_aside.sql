-- Events that a model was not given, and why.

CREATE TABLE IF NOT EXISTS daybook_set_aside(
    projection   TEXT NOT NULL,
    position     BIGINT NOT NULL,
    key          TEXT NOT NULL,
    type         TEXT NOT NULL,
    parked       BIGINT NOT NULL,          -- 1: waits to be replayed; 0: skipped
    error        TEXT NOT NULL,
    reason       TEXT NOT NULL,            -- of the operator who discarded it
    attempts     BIGINT NOT NULL,
    set_aside_at BIGINT NOT NULL,
    PRIMARY KEY(projection, position)
);

CREATE INDEX IF NOT EXISTS daybook_set_aside_by_key
    ON daybook_set_aside(projection, parked, key, position);
