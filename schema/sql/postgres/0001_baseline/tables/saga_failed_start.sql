-- Events that could start neither a saga nor an incident in its place, until somebody sees to them.
CREATE TABLE daybook_saga_failed_start(
    definition text COLLATE "C" NOT NULL,
    position   bigint NOT NULL,
    error      text COLLATE "C" NOT NULL,
    failed_at  bigint NOT NULL,
    PRIMARY KEY(definition, position)
);
