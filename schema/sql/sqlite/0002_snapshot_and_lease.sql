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

-- Who may do a piece of work until when, in microseconds of machine time. A row stays when its
-- lease is given back, with no owner, so that `token` never goes down: the fence against a late
-- owner. `until - duration` is when it began: in the future, if the clock was set back since.

CREATE TABLE daybook_lease(
    name     TEXT NOT NULL PRIMARY KEY,
    owner    TEXT NOT NULL,
    token    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    duration INTEGER NOT NULL
) STRICT;
