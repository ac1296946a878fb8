-- Which store this is: its backups and the copies of its file say the same, and nothing else does.
CREATE TABLE daybook_store(
    id BLOB NOT NULL
) STRICT;

INSERT INTO daybook_store(id) VALUES(randomblob(16));
