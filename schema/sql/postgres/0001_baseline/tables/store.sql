-- Which store this is: its backups say the same, and nothing else does.
CREATE TABLE daybook_store(
    id uuid NOT NULL
);

INSERT INTO daybook_store(id) VALUES(gen_random_uuid());
