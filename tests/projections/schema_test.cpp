#include <regex>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "store_location.hpp"

// A rebuilt model equals the live one for every schema that is accepted.

using namespace daybook;
using namespace std::chrono_literals;

namespace {

/// A projection that runs statements: `?` once or not at all, for the event's position.
struct Scripted final : ProjectionDefinition {
    struct Fold final : ProjectionFold {
        explicit Fold(std::vector<std::string> given) : statements(std::move(given)) {}
        void apply(std::size_t, EventView event, Sql& model) override {
            for (const std::string& statement : statements) {
                if (statement.find('?') == std::string::npos) {
                    model.exec(statement);
                } else {
                    model.exec(statement, event.position());
                }
            }
        }
        std::vector<std::string> statements;
    };

    Scripted(std::string name, std::string schema, std::vector<std::string> handler)
        : statements(std::move(handler)) {
        made.name = std::move(name);
        made.events = {"thing.happened"};
        made.schema = std::move(schema);
        made.errors = {every(0ms).attempts(1), OnFailure::halt};
    }
    const ProjectionShape& shape() const override { return made; }
    std::unique_ptr<ProjectionFold> fold(FoldLimits) const override {
        return std::make_unique<Fold>(statements);
    }

    ProjectionShape made;
    std::vector<std::string> statements;
};

struct Ugly {
    std::string schema;
    std::vector<std::string> handler;
    std::vector<std::string> queries;  ///< queries whose results must be the same in both models
    std::string indexes{};
};

std::vector<Ugly> ugly_for_both() {
    return {
        {"CREATE TABLE parent(k BIGINT PRIMARY KEY);"
         "CREATE TABLE child(k BIGINT PRIMARY KEY, p BIGINT NOT NULL REFERENCES parent(k));",
         {"INSERT INTO parent(k) VALUES(?)", "INSERT INTO child(k, p) VALUES(?, 1)"},
         {"SELECT * FROM parent ORDER BY k", "SELECT * FROM child ORDER BY k"}},
        {"CREATE TABLE zbase(id BIGINT PRIMARY KEY, n BIGINT);"
         "CREATE VIEW a_first AS SELECT sum(n) AS s FROM zbase;"
         "CREATE VIEW b_second AS SELECT s FROM a_first;",
         {"INSERT INTO zbase(id, n) VALUES(?, 9007199254740993)"},
         {"SELECT * FROM zbase ORDER BY id", "SELECT CAST(s AS TEXT) FROM b_second"},
         "CREATE INDEX zbase_n ON zbase(n); CREATE UNIQUE INDEX odd ON zbase((n + id)) "
         "WHERE id > 0;"},
        {R"(CREATE TABLE "a b; ""c"" 'd'"("from" BIGINT, "Ä" TEXT);)",
         {R"(INSERT INTO "a b; ""c"" 'd'"("from", "Ä") VALUES(?, 'é'))"},
         {R"(SELECT * FROM "a b; ""c"" 'd'" ORDER BY 1)"}},
        {"CREATE TABLE l(id BIGINT PRIMARY KEY, n BIGINT, "
         "twice BIGINT GENERATED ALWAYS AS (n * 2) STORED);",
         {"INSERT INTO l(id, n) VALUES(?, 21)"},
         {"SELECT * FROM l ORDER BY id"}},
    };
}

std::vector<Ugly> ugly_for_sqlite() {
    return {
        {"CREATE VIRTUAL TABLE l USING fts5(note);",
         {"INSERT INTO l(note) VALUES('hello number ' || ?)", "DELETE FROM l WHERE rowid = 2"},
         {"SELECT rowid, note FROM l WHERE l MATCH 'hello' ORDER BY rowid"}},
        {"CREATE TABLE doc(id INTEGER PRIMARY KEY, body TEXT);"
         "CREATE VIRTUAL TABLE found USING fts5(body, content='doc', content_rowid='id');"
         "CREATE TRIGGER doc_ai AFTER INSERT ON doc BEGIN "
         "INSERT INTO found(rowid, body) VALUES(new.id, new.body); END;",
         {"INSERT INTO doc(id, body) VALUES(?, 'some words')"},
         {"SELECT rowid FROM found WHERE found MATCH 'words' ORDER BY rowid"}},
        {"CREATE TABLE items(id BIGINT PRIMARY KEY, n BIGINT);"
         "CREATE TABLE totals(one BIGINT PRIMARY KEY, sum BIGINT); INSERT INTO totals VALUES(1, 0);"
         "CREATE TRIGGER items_ai AFTER INSERT ON items BEGIN "
         "UPDATE totals SET sum = sum + new.n; END;",
         {"INSERT INTO items(id, n) VALUES(?, 3)"},
         {"SELECT * FROM totals", "SELECT * FROM items ORDER BY id"}},
        {"CREATE TABLE l(id INTEGER PRIMARY KEY AUTOINCREMENT, n);",
         {"INSERT INTO l(n) VALUES(?)", "INSERT INTO l(n) VALUES('x')",
          "DELETE FROM l WHERE n = 'x'"},
         {"SELECT * FROM l ORDER BY id"}},
        {"CREATE TABLE l(k TEXT PRIMARY KEY, v ANY) WITHOUT ROWID, STRICT;",
         {"INSERT INTO l VALUES(?, x'00ff')", "UPDATE l SET v = CAST(x'610062' AS TEXT)"},
         {"SELECT k, hex(v), typeof(v) FROM l ORDER BY k"}},
        {"CREATE TABLE l(a, b REAL, c NUMERIC);",
         {"INSERT INTO l VALUES(?, 1e308 * 10, -9223372036854775808)",
          "INSERT INTO l VALUES(x'', 0.1, NULL)", "DELETE FROM l WHERE rowid % 3 = 0"},
         {"SELECT rowid, typeof(a), hex(a), typeof(b), CAST(b AS TEXT), typeof(c), c FROM l "
          "ORDER BY rowid"}},
        {"CREATE TABLE l(rowid TEXT, oid TEXT, _rowid_ TEXT);",
         {"INSERT INTO l VALUES(?, 'b', 'c')"},
         {"SELECT * FROM l"}},
        {"CREATE TABLE l(n INTEGER, twice AS (n * 2), thrice AS (n * 3) STORED);"
         "CREATE VIEW v AS SELECT n FROM l;"
         "CREATE TRIGGER v_ii INSTEAD OF INSERT ON v BEGIN INSERT INTO l(n) VALUES(new.n); END;",
         {"INSERT INTO v(n) VALUES(?)"},
         {"SELECT * FROM l ORDER BY n"}},
        {"CREATE TABLE a AS SELECT 1 AS one, 'x' AS two;",
         {"INSERT INTO a VALUES(?, 'y')"},
         {"SELECT * FROM a ORDER BY one, two"}},
        {"CREATE TABLE a(k INTEGER PRIMARY KEY, b INTEGER REFERENCES b(k) "
         "DEFERRABLE INITIALLY DEFERRED);"
         "CREATE TABLE b(k INTEGER PRIMARY KEY, a INTEGER REFERENCES a(k) ON DELETE CASCADE);",
         {"INSERT INTO a VALUES(?, NULL)", "INSERT INTO b VALUES(?, 1)", "UPDATE a SET b = 1"},
         {"SELECT * FROM a", "SELECT * FROM b"}},
    };
}

std::vector<Ugly> ugly_for_postgres() {
    return {
        {"CREATE TABLE l(id BIGINT PRIMARY KEY, a NUMERIC(20,2), b NUMERIC(20,0))",
         {"INSERT INTO l VALUES(?, 123456789012345678.12, 12345678901234567890)"},
         {"SELECT id, a::text, b::text FROM l ORDER BY id"}},
        {"CREATE TABLE l(id BIGINT PRIMARY KEY, v BOOLEAN, d DOUBLE PRECISION, r REAL, t "
         "TIMESTAMPTZ,"
         " j JSONB, a TEXT[], u UUID, b BYTEA)",
         {"INSERT INTO l VALUES(?, true, 'NaN', '-Infinity', '2026-01-01 00:00:00.123456+00', "
          "'{\"x\": [1, 1.50]}', ARRAY['a', NULL, 'b'], '00112233-4455-6677-8899-aabbccddeeff', "
          "'\\x00ff')"},
         {"SELECT l::text FROM l ORDER BY id"}},
        {"CREATE TABLE l(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n BIGINT);",
         {"INSERT INTO l(n) VALUES(?)"},
         {"SELECT * FROM l ORDER BY id"}},
        {"CREATE TABLE l(id BIGSERIAL PRIMARY KEY, n BIGINT); CREATE SEQUENCE tick START 40;",
         {"INSERT INTO l(n) VALUES(nextval('tick') + ?)"},
         {"SELECT * FROM l ORDER BY id"}},
        {"CREATE TABLE items(id BIGINT PRIMARY KEY, n BIGINT);"
         "CREATE TABLE totals(one BIGINT PRIMARY KEY, sum BIGINT); INSERT INTO totals VALUES(1, 0);"
         "CREATE FUNCTION items_add() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
         "UPDATE totals SET sum = sum + NEW.n; RETURN NEW; END $$;"
         "CREATE TRIGGER items_ai AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION items_add();",
         {"INSERT INTO items(id, n) VALUES(?, 3)"},
         {"SELECT * FROM totals", "SELECT * FROM items ORDER BY id"}},
        {"CREATE TYPE mood AS ENUM('low', 'high'); CREATE DOMAIN cents AS BIGINT CHECK(VALUE >= 0);"
         "CREATE TYPE pair AS (a BIGINT, b mood);"
         "CREATE FUNCTION twice(x cents) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';"
         "CREATE TABLE l(id BIGINT PRIMARY KEY, m mood DEFAULT 'high', c cents, p pair, "
         "d BIGINT DEFAULT twice(4));"
         "CREATE FUNCTION total(r l) RETURNS BIGINT LANGUAGE sql STABLE AS 'SELECT r.id + r.d';"
         "CREATE MATERIALIZED VIEW seen AS SELECT count(*) AS n FROM l;",
         {"INSERT INTO l(id, c, p) VALUES(?, 5, ROW(1, 'low'))", "REFRESH MATERIALIZED VIEW seen"},
         {"SELECT id, m::text, c::bigint, p::text, d, total(l) FROM l ORDER BY id",
          "SELECT n FROM seen"}},
        {"CREATE TABLE l(id BIGINT, n BIGINT) PARTITION BY RANGE(id);"
         "CREATE TABLE l_low PARTITION OF l FOR VALUES FROM (0) TO (3);"
         "CREATE TABLE l_high PARTITION OF l DEFAULT;"
         "CREATE STATISTICS both_columns ON id, n FROM l_low;",
         {"INSERT INTO l(id, n) VALUES(?, 1)"},
         {"SELECT tableoid::regclass::text, id FROM l ORDER BY id"},
         "CREATE INDEX l_by_n ON l(n);"},
        {"CREATE TABLE a(k BIGINT PRIMARY KEY, b BIGINT);"
         "CREATE TABLE b(k BIGINT PRIMARY KEY, a BIGINT REFERENCES a(k) DEFERRABLE);"
         "ALTER TABLE a ADD FOREIGN KEY(b) REFERENCES b(k) DEFERRABLE INITIALLY DEFERRED;",
         {"INSERT INTO a VALUES(?, NULL)", "INSERT INTO b VALUES(?, 1)", "UPDATE a SET b = 1"},
         {"SELECT * FROM a ORDER BY k", "SELECT * FROM b ORDER BY k"}},
    };
}

void append_things(EventStore& store, int times) {
    const EventType type{"thing.happened", 1};
    for (int i = 0; i < times; ++i) store.append("thing-1", any_version, {NewEvent{type, "{}"}});
}

std::string query_results(const ProjectionRunner& runner, const std::string& name,
                          const Ugly& ugly) {
    std::string text;
    runner.query(name, [&](Sql& sql) {
        for (const std::string& query : ugly.queries) {
            sql.each(query, [&](const SqlRow& row) {
                for (int column = 0; column < row.columns(); ++column) {
                    text += row.is_null(column) ? "NULL|" : std::string(row.text(column)) + '|';
                }
                text += '\n';
            });
            text += "--\n";
        }
    });
    return text;
}

/// A runner of two models of one schema: `live`, async and never rebuilt, and `ugly`.
struct Pair {
    Pair(const EventStore& store, const Ugly& schema, int number, Lifecycle lifecycle, int version)
        : ugly(schema),
          live_name("live-" + std::to_string(number)),
          name("ugly-" + std::to_string(number)),
          runner(store) {
        add(live_name, Lifecycle::async, 1);
        add(name, lifecycle, version);
        run();
    }
    void add(const std::string& model, Lifecycle lifecycle, int version) {
        auto definition = std::make_unique<Scripted>(model, ugly.schema, ugly.handler);
        definition->made.version = version;
        definition->made.indexes = ugly.indexes;
        runner.add(std::move(definition), lifecycle);
    }
    void run() {
        runner.run_once();
        const ProjectionStatus status = runner.status(name);
        CHECK_MESSAGE(status.state == ProjectionState::active, status.last_error);
        CHECK(status.lag == 0);
    }
    void check_equal() {
        CHECK(query_results(runner, name, ugly) == query_results(runner, live_name, ugly));
    }

    const Ugly& ugly;
    std::string live_name;
    std::string name;
    ProjectionRunner runner;
};

void check_rebuild(EventStore& store, const Ugly& ugly, int number) {
    INFO(ugly.schema);
    {
        Pair models{store, ugly, number, Lifecycle::inline_, 1};
        append_things(store, 3);
        models.run();
        models.check_equal();
        CHECK_NOTHROW(models.runner.rebuild(models.name));
        models.check_equal();
        // It continues like a model that was not rebuilt: no generated number is given twice.
        append_things(store, 2);
        models.run();
        models.check_equal();
    }
    // Back to async: nothing of the inline model stays in the store.
    Pair models{store, ugly, number, Lifecycle::async, 2};
    models.check_equal();
}

/// The same schema with another name for the table `l`, because one store gets many of them.
Ugly with_table(Ugly ugly, const std::string& name) {
    const std::regex table{R"(\bl\b)"};
    const auto rename = [&](std::string& text) { text = std::regex_replace(text, table, name); };
    for (std::string* text : {&ugly.schema, &ugly.indexes}) rename(*text);
    for (auto* texts : {&ugly.handler, &ugly.queries}) {
        for (std::string& text : *texts) rename(text);
    }
    return ugly;
}

std::vector<Ugly> ugly_schemas() {
    auto all = ugly_for_both();
    for (auto& ugly : test::on_postgres() ? ugly_for_postgres() : ugly_for_sqlite()) {
        all.push_back(std::move(ugly));
    }
    return all;
}

void refused(const Scripted& definition, Lifecycle lifecycle, EventStore& store,
             std::string_view why) {
    ProjectionRunner runner{store};
    runner.add(std::make_unique<Scripted>(definition), lifecycle);
    runner.run_once();
    const ProjectionStatus status = runner.status(definition.made.name);
    CHECK(status.state == ProjectionState::halted);
    CHECK_MESSAGE(status.last_error.find(why) != std::string::npos, status.last_error);
}

}  // namespace

TEST_CASE("a model of any schema that is taken is the same after a rebuild and goes on so [A5]") {
    auto store = test::new_store();
    int number = 0;
    for (const Ugly& ugly : ugly_schemas()) {
        ++number;
        check_rebuild(store, with_table(ugly, "l" + std::to_string(number)), number);
    }
}

TEST_CASE("a projection with the longest name that is taken can be rebuilt [A5]") {
    auto store = test::new_store();
    const std::string name(ProjectionShape::name_bytes_max, 'q');
    for (int version = 1; version <= 2; ++version) {
        for (const Lifecycle lifecycle : {Lifecycle::inline_, Lifecycle::async}) {
            // A name that differs only at its end is another name.
            ProjectionRunner runner{store};
            std::string own = name;
            own.back() = lifecycle == Lifecycle::inline_ ? 'i' : 'a';
            auto definition = std::make_unique<Scripted>(
                own, "CREATE TABLE t" + std::string(1, own.back()) + "(n BIGINT)",
                std::vector<std::string>{"INSERT INTO t" + std::string(1, own.back()) +
                                         " VALUES(?)"});
            definition->made.version = version;
            runner.add(std::move(definition), lifecycle);
            append_things(store, 1);
            runner.run_once();
            CHECK(runner.status(own).state == ProjectionState::active);
            CHECK(runner.status(own).version == version);
            CHECK(runner.status(own).lag == 0);
        }
    }
    CHECK(detail::engine_of(store).read_models().list().size() == 1);
}

TEST_CASE("two inline models that say IF NOT EXISTS of one table do not share it [A4]") {
    auto store = test::new_store();
    const std::string schema = "CREATE TABLE IF NOT EXISTS names(k BIGINT PRIMARY KEY);";
    ProjectionRunner first{store};
    first.add(std::make_unique<Scripted>("first", schema,
                                         std::vector<std::string>{"INSERT INTO names VALUES(?)"}),
              Lifecycle::inline_);
    append_things(store, 1);
    first.run_once();
    refused({"second", schema, {"INSERT INTO names VALUES(?)"}}, Lifecycle::inline_, store,
            "already exists");
    first.rebuild("first");
    first.query("first", [](Sql& sql) { CHECK(sql.integer("SELECT count(*) FROM names") == 1); });
}

TEST_CASE("an inline model that says IF NOT EXISTS takes over nothing of the program's [A4]") {
    auto store = test::new_store();
    store.transact([](Transaction& tx) {
        tx.sql().script(
            "CREATE TABLE mine(k BIGINT PRIMARY KEY); INSERT INTO mine VALUES(7);"
            "CREATE TABLE other(k BIGINT); CREATE INDEX by_k ON other(k)");
    });
    refused({"m", "CREATE TABLE IF NOT EXISTS mine(k BIGINT PRIMARY KEY)", {"DELETE FROM mine"}},
            Lifecycle::inline_, store, "already exists");
    refused({"i", "CREATE TABLE its(k BIGINT); CREATE INDEX by_k ON its(k)", {"SELECT 1"}},
            Lifecycle::inline_, store, "already exists");
    refused({"o", "CREATE TABLE IF NOT EXISTS outbox(k BIGINT)", {"SELECT 1"}}, Lifecycle::inline_,
            store, "already exists");
    store.query([](Sql& sql) {
        CHECK(sql.integer("SELECT k FROM mine") == 7);
        CHECK_FALSE(test::has_relation(sql, "its"));
    });
}

TEST_CASE("a model that makes a table of the store's names is refused [A4]") {
    auto store = test::new_store();
    for (const Lifecycle lifecycle : {Lifecycle::async, Lifecycle::inline_}) {
        refused({"s", "CREATE TABLE IF NOT EXISTS daybook_event(position BIGINT)", {"SELECT 1"}},
                lifecycle, store, "daybook_");
    }
}

TEST_CASE("a model with a table that is gone with its connection is refused [A5]") {
    auto store = test::new_store();
    for (const Lifecycle lifecycle : {Lifecycle::async, Lifecycle::inline_}) {
        refused({"t", "CREATE TABLE a(k BIGINT); CREATE TEMP TABLE b(k BIGINT)", {"SELECT 1"}},
                lifecycle, store, test::on_postgres() ? "outside" : "TEMP");
    }
}

TEST_CASE("a program's view on an inline model is not dropped with it by a rebuild [A4]") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(std::make_unique<Scripted>("m", "CREATE TABLE base(n BIGINT)",
                                          std::vector<std::string>{"INSERT INTO base VALUES(?)"}),
               Lifecycle::inline_);
    runner.run_once();
    store.transact(
        [](Transaction& tx) { tx.sql().script("CREATE VIEW report AS SELECT n FROM base"); });
    append_things(store, 2);
    if (test::on_postgres()) {
        CHECK_THROWS_WITH_AS(runner.rebuild("m"), doctest::Contains("report"), InvalidError);
    } else {
        runner.rebuild("m");
    }
    store.query([](Sql& sql) { CHECK(sql.integer("SELECT count(*) FROM report") == 2); });
}

TEST_SUITE("postgres") {
    TEST_CASE("a model that makes something outside of its own schema is refused [A4]") {
        auto store = test::new_store();
        refused({"p", "CREATE SCHEMA elsewhere_of_a_model", {"SELECT 1"}}, Lifecycle::async, store,
                "outside");
        refused({"q", "CREATE TABLE public.elsewhere_of_a_model(n BIGINT)", {"SELECT 1"}},
                Lifecycle::inline_, store, "outside");
    }
}
