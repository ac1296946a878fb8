-- How many events of a stream a mirror has left out: by so much its versions are lower here.
CREATE TABLE daybook_mirror_dropped(
    mirror text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY(mirror, stream)
);
