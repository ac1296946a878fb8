-- Which life of the server this is: what is not logged is gone after a crash, and on a standby that
-- took over. Then the numbers of transactions that were not on disk are given to others.
CREATE UNLOGGED TABLE daybook_server_life(
    id uuid NOT NULL
);
