CREATE TABLE daybook_stream_run_new(
    stream   INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    PRIMARY KEY(stream, version)
) STRICT, WITHOUT ROWID;
