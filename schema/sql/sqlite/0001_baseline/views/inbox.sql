-- For people and programs that look at the store.
CREATE VIEW inbox AS SELECT * FROM daybook_inbox;
