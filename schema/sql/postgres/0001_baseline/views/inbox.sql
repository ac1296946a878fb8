-- For people and programs that look at the store. (With an OFFSET a view cannot be written
-- through.)
CREATE VIEW inbox AS SELECT * FROM daybook_inbox OFFSET 0;
