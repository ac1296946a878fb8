-- A cached fold of a stream, one for each kind of thing that folds it. Never the truth:
-- `fingerprint` names the shape that `state` was written in, `event` the last event that is in it,
-- and what does not fit is ignored and replaced.

CREATE TABLE daybook_snapshot(
    stream      text COLLATE "C" NOT NULL,
    aggregate   text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    event       uuid NOT NULL,
    state       text COLLATE "C" NOT NULL,
    taken_at    bigint NOT NULL,
    PRIMARY KEY(stream, aggregate)
);

-- Who may do a piece of work until when, in microseconds of the server's time. A row stays when its
-- lease is given back, with no owner, so that `token` never goes down: the fence against a late
-- owner. `until - duration` is when it began: in the future, if the clock was set back since.

CREATE TABLE daybook_lease(
    name     text COLLATE "C" NOT NULL PRIMARY KEY,
    owner    text COLLATE "C" NOT NULL,
    token    bigint NOT NULL,
    until    bigint NOT NULL,
    duration bigint NOT NULL
);
