-- The mirrors that feed this store. `epoch` counts their starts: the fence against an older one.
CREATE TABLE daybook_mirror(
    name       text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL,
    event      uuid,
    store      uuid NOT NULL,
    stored     bigint NOT NULL,
    dropped    bigint NOT NULL,
    epoch      bigint NOT NULL,
    updated_at bigint NOT NULL
);
