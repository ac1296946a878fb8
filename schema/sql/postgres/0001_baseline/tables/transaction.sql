-- `last_value` is the id of the last transaction that has begun, other than plain appends: with the
-- head of the log, what tells those who poll that something has changed. Transactions that write
-- run one after the other, so only this one of them may be open. A sequence is changed in place: of
-- a row that every transaction updates, the old versions stay beside an old snapshot, and each
-- transaction would walk over them all. Every role that may use the store may count.
CREATE SEQUENCE daybook_transaction MINVALUE 0 START 0;
GRANT SELECT, UPDATE ON SEQUENCE daybook_transaction TO PUBLIC;
