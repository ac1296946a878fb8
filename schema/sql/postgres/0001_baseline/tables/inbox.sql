-- What each consumer has handled. The mark commits with the effect. `content` is a hash of what
-- the message said.
CREATE TABLE daybook_inbox(
    consumer   text COLLATE "C" NOT NULL,
    id         uuid NOT NULL,
    handled_at bigint NOT NULL,
    content    bigint,
    PRIMARY KEY(consumer, id)
);
