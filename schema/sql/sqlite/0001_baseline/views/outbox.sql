-- For people and programs that look at the store.
CREATE VIEW outbox AS SELECT * FROM daybook_outbox;
