-- A cached fold of a stream, one for each kind of thing that folds it. Never the truth:
-- `fingerprint` names the shape that `state` was written in, `event` the last event that is in it,
-- and what does not fit is ignored and replaced.

CREATE TABLE daybook_snapshot(
    stream      TEXT NOT NULL,
    aggregate   TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version     INTEGER NOT NULL,
    event       BLOB NOT NULL,
    state       TEXT NOT NULL,
    taken_at    INTEGER NOT NULL,
    PRIMARY KEY(stream, aggregate)
) STRICT;
