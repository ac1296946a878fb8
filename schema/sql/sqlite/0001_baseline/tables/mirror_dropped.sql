-- How many events of a stream a mirror has left out: by so much its versions are lower here.
CREATE TABLE daybook_mirror_dropped(
    mirror TEXT NOT NULL,
    stream TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY(mirror, stream)
) STRICT;
