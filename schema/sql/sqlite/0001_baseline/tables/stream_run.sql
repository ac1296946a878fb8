-- Which events a stream holds. A run is what one append added to one stream, so its versions and
-- positions are consecutive; a row names the run's last event and how many there are.
--
-- A new row goes to stream_run_new and moves on, together with its neighbours by stream, to
-- stream_run_recent and then to stream_run: one page takes many rows at once, instead of one page
-- for nearly every append. Rows of one stream move oldest first, so its runs stand in order from
-- stream_run to stream_run_new. That no version is given twice is for the writer to check, under
-- the write lock.

CREATE TABLE daybook_stream_run(
    stream   INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    PRIMARY KEY(stream, version)
) STRICT, WITHOUT ROWID;
