-- How far a model has come. It commits together with the model's rows, so it stands in their
-- database: that of an async model, or the store's for all inline ones. With the CHECK, a
-- transaction that counts an event twice or not at all cannot commit.

CREATE TABLE IF NOT EXISTS daybook_checkpoint(
    projection TEXT NOT NULL PRIMARY KEY,
    position   BIGINT NOT NULL,
    applied    BIGINT NOT NULL,
    filtered   BIGINT NOT NULL,
    parked     BIGINT NOT NULL,
    skipped    BIGINT NOT NULL,
    token      BIGINT NOT NULL DEFAULT 0,  -- of the lease under which it was built; 0 in the store
    indexed    BIGINT NOT NULL,
    store      UUID NOT NULL,              -- the identity of the store whose log it is a place in
    event      UUID,                       -- that stands at the position; none before the first
    definition TEXT NOT NULL,              -- its fingerprint
    CHECK(applied + filtered + parked + skipped = position)
);
