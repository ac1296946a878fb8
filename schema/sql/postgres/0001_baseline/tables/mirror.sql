-- The mirrors that feed this store. Each belongs to the holder of the lease `mirror:<name>`.
CREATE TABLE daybook_mirror(
    name       text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL,
    event      uuid,
    store      uuid NOT NULL,
    stored     bigint NOT NULL,
    dropped    bigint NOT NULL,
    updated_at bigint NOT NULL
);
