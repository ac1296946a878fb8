-- (A stream's number is the position of its first event.)
CREATE TABLE daybook_stream(
    id       bigint PRIMARY KEY,
    name     text COLLATE "C" NOT NULL UNIQUE,
    category integer NOT NULL
);
