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
