-- How far each definition has looked for the events that start it. `begun` counts the processes
-- that took up what follows `position` and have not come through, `attempts` how often one tried
-- the event at `attempted`: both grow only where processes die. The row `#timers` counts those that
-- took up timers.
CREATE TABLE daybook_saga_start(
    definition TEXT NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    begun      INTEGER NOT NULL DEFAULT 0,
    attempted  INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0
) STRICT;
