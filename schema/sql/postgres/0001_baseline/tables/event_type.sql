CREATE TABLE daybook_event_type(
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    UNIQUE(name, version)
);
