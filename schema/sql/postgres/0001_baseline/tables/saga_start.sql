-- How far each definition has looked for the events that start it. `begun` counts the processes
-- that took up what follows `position` and have not come through, `attempts` how often one tried
-- the event at `attempted`: both grow only where processes die. The row `#timers` counts those that
-- took up timers.
CREATE TABLE daybook_saga_start(
    definition text COLLATE "C" NOT NULL PRIMARY KEY,
    position   bigint NOT NULL,
    begun      bigint NOT NULL DEFAULT 0,
    attempted  bigint NOT NULL DEFAULT 0,
    attempts   bigint NOT NULL DEFAULT 0
);
