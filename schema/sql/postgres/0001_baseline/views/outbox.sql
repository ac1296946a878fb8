-- For people and programs that look at the store. (With an OFFSET a view cannot be written
-- through.)
CREATE VIEW outbox AS SELECT * FROM daybook_outbox OFFSET 0;
