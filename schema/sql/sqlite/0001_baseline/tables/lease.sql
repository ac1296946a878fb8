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
