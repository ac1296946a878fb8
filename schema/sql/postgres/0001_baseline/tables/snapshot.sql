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
