#include <string>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_SUITE("no-store") {
    TEST_CASE("a program's SQL cannot end or divide the transaction, however it is spelt [A2]") {
        for (const char* statement :
             {"COMMIT", "commit;", "  /* now */ Rollback", "-- x\nEND", "BEGIN IMMEDIATE",
              "ROLLBACK TO daybook_append", "SAVEPOINT a", "RELEASE a", "ABORT",
              "START TRANSACTION", "PREPARE TRANSACTION 'x'"}) {
            CAPTURE(statement);
            CHECK_THROWS_AS(check_program_statement(statement), InvalidError);
            CHECK_THROWS_AS(check_program_script("SELECT 1; " + std::string(statement)),
                            InvalidError);
        }
        for (const char* statement :
             {"SELECT 'COMMIT; ROLLBACK'", "SELECT \"commit\" FROM t", "SELECT $$;COMMIT;$$",
              "SELECT E'it\\'s; COMMIT'", "SELECT 1 -- ; COMMIT", "SELECT CASE WHEN 1 THEN 2 END",
              "SET LOCAL enable_seqscan = off", "SELECT \"a\"\"; COMMIT\" FROM t"}) {
            CAPTURE(statement);
            CHECK_NOTHROW(check_program_statement(statement));
        }
    }

    TEST_CASE("a program's SQL cannot change the connection that the store works on [A2]") {
        for (const char* statement :
             {"ATTACH 'x' AS y", "DETACH y", "VACUUM", "PRAGMA journal_mode = DELETE",
              "PRAGMA writable_schema(1)", "SET search_path = x", "RESET ALL", "DISCARD ALL",
              "LISTEN x", "DEALLOCATE ALL"}) {
            CAPTURE(statement);
            CHECK_THROWS_AS(check_program_statement(statement), InvalidError);
        }
        CHECK_NOTHROW(check_program_statement("PRAGMA table_info(t)"));
    }

    TEST_CASE("a program's SQL reads the store's tables and does not change them [A4]") {
        for (const char* statement :
             {"DELETE FROM daybook_event", "UPDATE Daybook_Event SET data = ''",
              "INSERT INTO \"daybook_event\" VALUES(1)", "DROP TABLE daybook_stream",
              "CREATE TABLE IF NOT EXISTS daybook_event(n INT)", "ALTER TABLE daybook_event ADD x",
              "CREATE TRIGGER t AFTER INSERT ON daybook_event BEGIN SELECT 1; END",
              "WITH gone AS (DELETE FROM daybook_event RETURNING 1) SELECT * FROM gone",
              "TRUNCATE daybook_event", "DO $$ BEGIN DELETE FROM daybook_event; END $$",
              "SELECT daybook_append_event('a')", "REPLACE INTO daybook_event VALUES(1)",
              "COPY daybook_event FROM STDIN", "EXPLAIN ANALYZE DELETE FROM daybook_event",
              "DELETE FROM main.[daybook_event]"}) {
            CAPTURE(statement);
            CHECK_THROWS_AS(check_program_statement(statement), InvalidError);
        }
        for (const char* statement :
             {"SELECT count(*) FROM daybook_event", "EXPLAIN DELETE FROM daybook_event",
              "SELECT replace(data, 'a', 'b') FROM daybook_event",
              "UPDATE event SET name = 'daybook_event'", "CREATE TABLE category(n INT)"}) {
            CAPTURE(statement);
            CHECK_NOTHROW(check_program_statement(statement));
        }
    }

    TEST_CASE("one call takes one statement, and a trigger is one [C14]") {
        for (const char* statement : {"", " ; ", "-- nothing", "SELECT 1; SELECT 2",
                                      "INSERT INTO a VALUES(1); INSERT INTO b VALUES(2);"}) {
            CAPTURE(statement);
            CHECK_THROWS_AS(check_program_statement(statement), InvalidError);
        }
        for (const char* statement :
             {"SELECT 1;", "SELECT ';'",
              "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES(1); DELETE FROM c; "
              "END;",
              "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
              "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$"}) {
            CAPTURE(statement);
            CHECK_NOTHROW(check_program_statement(statement));
        }
    }
}

TEST_CASE("the SQL of a transaction and of a query is guarded, and the transaction goes on [A4]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", any_version, {numbered(1)});
    store.transact([](Transaction& tx) {
        CHECK_THROWS_AS(tx.sql().exec("DELETE FROM daybook_event"), InvalidError);
        CHECK_THROWS_AS(tx.sql().exec("COMMIT"), InvalidError);
        CHECK_THROWS_AS(tx.sql().script("CREATE TABLE mine(n BIGINT); ROLLBACK"), InvalidError);
        tx.append("thing-1", any_version, {numbered(2)});
        CHECK(tx.sql().integer("SELECT count(*) FROM daybook_event") == 2);
    });
    store.query([](Sql& sql) {
        CHECK_THROWS_AS(sql.exec("COMMIT"), InvalidError);
        CHECK(sql.integer("SELECT count(*) FROM daybook_event") == 2);
    });
    CHECK(store.version("thing-1") == Version{2});
}

TEST_CASE("what waits in the outbox can be read and not written [A4]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        tx.publish({"topic", EventType::checked("thing.counted", 1), "{}", {}});
    });
    store.query([](Sql& sql) {
        CHECK(sql.integer("SELECT count(*) FROM outbox") == 1);
        CHECK(sql.integer("SELECT count(*) FROM inbox") == 0);
    });
    CHECK_THROWS_AS(store.transact([](Transaction& tx) { tx.sql().exec("DELETE FROM outbox"); }),
                    InvalidError);
    store.query([](Sql& sql) { CHECK(sql.integer("SELECT count(*) FROM outbox") == 1); });
}

TEST_CASE("a store has an identity of its own [A1]") {
    const StoreLocation location;
    const StoreLocation other;
    const EventId identity = location.open().identity();
    CHECK_FALSE(identity.is_nil());
    CHECK(location.open().identity() == identity);
    CHECK_FALSE(other.open().identity() == identity);
}
