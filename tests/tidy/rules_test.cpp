// Each rule is shown something bad: a rule that finds nothing proves nothing.
#include "rules.hpp"

#include <doctest/doctest.h>

using tidy::Tree;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    while (times-- > 0) out += text;
    return out;
}

// A function of `lines` lines, signature and brace included.
std::string function_of(std::size_t lines, const std::string& head = "int f() {\n") {
    return head + repeated("    g();\n", lines - 2) + "}\n";
}

}  // namespace

TEST_CASE("an include of a higher folder is found") {
    const auto* const upward = "#include <daybook/projections/runner.hpp>\n";
    CHECK(tidy::check_levels("eventstore/src/x.cpp", upward).size() == 1);
    CHECK(tidy::check_levels("messaging/src/x.cpp", upward).size() == 1);
    const auto* const quoted = "#include \"daybook/projections/runner.hpp\"\n";
    CHECK(tidy::check_levels("eventstore/src/x.cpp", quoted).size() == 1);
    CHECK(tidy::check_levels("projections/src/x.cpp", upward).empty());
    CHECK(tidy::check_levels("apps/cli/src/x.cpp", upward).empty());
    CHECK(tidy::check_levels("schema/src/x.cpp", "#include <daybook/core/id.hpp>\n").empty());
    CHECK(tidy::check_levels("sagas/src/x.cpp", "#include <daybook/daybook.hpp>\n").size() == 1);
}

TEST_CASE("an include of a higher room of eventstore is found") {
    const auto found = [](const char* path, const char* header) {
        return tidy::check_rooms(path, std::string{"#include \""} + header + "\"\n").size();
    };
    CHECK(found("eventstore/src/values/x.cpp", "engine/type_table.hpp") == 1);
    CHECK(found("eventstore/src/engine/x.cpp", "engine/sqlite/writer.hpp") == 1);
    CHECK(found("eventstore/src/engine/sqlite/x.cpp", "engine/postgres/writer.hpp") == 1);
    CHECK(found("eventstore/src/engine/sqlite/x.cpp", "log/store_core.hpp") == 1);
    CHECK(found("eventstore/src/transfer/x.cpp", "aggregates/snapshot_table.hpp") == 1);
    CHECK(found("eventstore/src/log/x.cpp", "daybook/eventstore/repository.hpp") == 1);
    const auto* const header = "eventstore/include/daybook/eventstore/sql.hpp";
    CHECK(found(header, "daybook/eventstore/event_store.hpp") == 1);
    CHECK(found(header, "daybook/eventstore/new_event.hpp") == 0);
    CHECK(found(header, "daybook/core/id.hpp") == 0);
    CHECK(found("eventstore/src/engine/sqlite/x.cpp", "engine/sqlite/writer.hpp") == 0);
    CHECK(found("eventstore/src/aggregates/x.cpp", "log/store_core.hpp") == 0);
    const auto* const internal = "eventstore/internal/daybook/eventstore/engine.hpp";
    CHECK(found(internal, "daybook/eventstore/store_access.hpp") == 1);
    CHECK(found(internal, "daybook/eventstore/sql.hpp") == 0);
    CHECK(found("messaging/src/x.cpp", "log/store_core.hpp") == 0);
}

TEST_CASE("a header that is not installed is kept from those who are built without the tree") {
    const auto found = [](const char* path, const char* header = "eventstore/engine.hpp") {
        return tidy::check_internals(path, std::string{"#include <daybook/"} + header + ">\n")
            .size();
    };
    CHECK(found("eventstore/include/daybook/eventstore/x.hpp") == 1);
    CHECK(found("sagas/include/daybook/sagas/x.hpp") == 1);
    CHECK(found("apps/cli/src/x.cpp") == 1);
    CHECK(found("examples/quickstart/x.cpp") == 1);
    CHECK(found("benchmarks/x.cpp") == 1);
    CHECK(found("core/include/daybook/core/x.hpp", "core/mutex.hpp") == 1);
    CHECK(found("apps/cli/src/x.cpp", "core/mutex.hpp") == 1);
    CHECK(found("projections/src/x.cpp") == 0);
    CHECK(found("sagas/src/x.cpp", "core/mutex.hpp") == 0);
    CHECK(found("tests/contract/x.cpp") == 0);
}

TEST_CASE("a file of eventstore that stands in no room is found") {
    CHECK(tidy::check_rooms("eventstore/src/x.cpp", "").size() == 1);
    CHECK(tidy::check_rooms("eventstore/src/engines/x.cpp", "").size() == 1);
    CHECK(tidy::check_rooms("eventstore/include/daybook/eventstore/x.hpp", "").size() == 1);
    CHECK(tidy::check_rooms("eventstore/internal/daybook/eventstore/x.hpp", "").size() == 1);
    CHECK(tidy::check_rooms("eventstore/src/log/x.cpp", "").empty());
    CHECK(tidy::check_rooms("eventstore/include/daybook/eventstore/eventstore.hpp", "").empty());
}

TEST_CASE("an include that leaves its folder is found") {
    const auto* const inner = "#include \"../../core/src/sha.hpp\"\n";
    CHECK(tidy::check_levels("schema/src/x.cpp", inner).size() == 1);
    CHECK(tidy::check_levels("examples/shop/x.cpp", inner).size() == 1);
    CHECK(tidy::check_levels("schema/src/sub/x.cpp", "#include \"../y.hpp\"\n").empty());
}

TEST_CASE("an include in a comment or a string is not one") {
    const auto* const text =
        "// #include <sqlite3.h>\n"
        "const char* a = R\"(\n#include <sqlite3.h>\n)\";\n"
        "/* \n#include <sqlite3.h>\n*/\n";
    CHECK(tidy::check_third_party("core/src/x.cpp", text).empty());
}

TEST_CASE("a third-party header away from its home is found") {
    const auto away = [](const char* path, const char* header) {
        return tidy::check_third_party(path, std::string{"#include <"} + header + ">\n").size();
    };
    CHECK(away("messaging/src/x.cpp", "SQLiteCpp/Database.h") == 1);
    CHECK(away("eventstore/src/x.cpp", "sqlite3.h") == 1);
    CHECK(away("eventstore/src/engine/sqlite/x.cpp", "sqlite3.h") == 0);
    CHECK(away("eventstore/src/engine/sqlite/x.cpp", "libpq-fe.h") == 1);
    CHECK(away("projections/src/x.cpp", "boost/signals2.hpp") == 1);
    CHECK(away("messaging/include/daybook/messaging/x.hpp", "boost/signals2.hpp") == 1);
    CHECK(away("messaging/src/x.cpp", "boost/signals2.hpp") == 0);
    CHECK(away("schema/src/x.cpp", "openssl/evp.h") == 1);
    CHECK(away("sagas/src/x.cpp", "CLI/CLI.hpp") == 1);
    CHECK(away("core/src/x.cpp", "nlohmann/json.hpp") == 1);
    CHECK(away("sagas/src/x.cpp", "nlohmann/json.hpp") == 0);
    CHECK(away("eventstore/src/x.cpp", "simdjson.h") == 1);
    CHECK(away("schema/include/daybook/schema/x.hpp", "simdjson.h") == 1);
    CHECK(away("core/src/x.cpp", "doctest/doctest.h") == 1);
    CHECK(away("core/src/x.cpp", "benchmark/benchmark.h") == 1);
    CHECK(away("tests/kill/x.cpp", "sqlite3.h") == 0);
    CHECK(away("benchmarks/floor.cpp", "sqlite3.h") == 0);
}

TEST_CASE("a line of more than 100 columns is found, counted in code points") {
    CHECK(tidy::check_columns("x.cpp", std::string(101, 'a') + "\n").size() == 1);
    CHECK(tidy::check_columns("x.cpp", std::string(100, 'a') + "\n").empty());
    CHECK(tidy::check_columns("x.cpp", repeated("\u00e9", 100)).empty());
    CHECK(tidy::check_columns("x.cpp", repeated("\u00e9", 101)).size() == 1);
}

TEST_CASE("a function of more than 70 lines is found") {
    const auto findings = [](const std::string& text) {
        return tidy::check_function_lines("x.cpp", text).size();
    };
    CHECK(findings(function_of(70)) == 0);
    CHECK(findings(function_of(71)) == 1);
    CHECK(findings("namespace a {\nclass B {\npublic:\n" + function_of(71) + "};\n}\n") == 1);
    CHECK(findings("namespace a {\n" + repeated("int f() { return 1; }\n", 90) + "}\n") == 0);
    CHECK(findings("class B {\n" + repeated("int f() { return 1; }\n", 90) + "};\n") == 0);
    CHECK(findings("struct B final : A<int> {\n" + repeated("int a = 1;\n", 90) + "};\n") == 0);
    CHECK(findings("struct B : std::function<void(int)> {\n" + repeated("int a = 1;\n", 90) +
                   "};\n") == 0);
    CHECK(findings(function_of(71, "struct A f() {\n")) == 1);
    CHECK(findings(function_of(71, "int f(struct A* a) {\n")) == 1);
    CHECK(findings(function_of(71, "template <class T>\nauto f(T t) -> T {\n")) == 1);
    CHECK(findings(function_of(71, "X::X() : a_{1}, b_(2), c_{3} {\n")) == 1);
    CHECK(findings(function_of(71, "void f(Options o = {}) const noexcept {\n")) == 1);
    CHECK(findings(function_of(71, "TEST_CASE(\"a }{ name\") {\n")) == 1);
    CHECK(findings("TEST_SUITE(\"x\") {\n" + repeated("int f() { return 1; }\n", 90) + "}\n") == 0);
}

TEST_CASE("a table of more than 70 lines is not a function") {
    const auto table = "constexpr int table[] = {\n" + repeated("    f(1),\n", 90) + "};\n";
    CHECK(tidy::check_function_lines("x.cpp", table).empty());
}

TEST_CASE("a lambda counts to its function") {
    const auto text = "int f() {\n    auto g = [&] {\n" + repeated("x();\n", 68) + "};\n}\n";
    CHECK(tidy::check_function_lines("x.cpp", text).size() == 1);
}

TEST_CASE("braces in literals, comments and directives do not mislead") {
    const auto tail = function_of(71);
    const auto found_after = [&](const std::string& text) {
        return tidy::check_function_lines("x.cpp", text + tail).size() == 1;
    };
    CHECK(found_after("const char* a = \"{ \\\" {\";\n"));
    CHECK(found_after("const char a = '{'; const char b = '\\'';\n"));
    CHECK(found_after("const char* a = R\"x({ )\" {)x\";\n"));
    CHECK(found_after("const int a = 100'000; const int b = 0xFF'FF;\n"));
    CHECK(found_after("// {\n/* { \" */\n"));
    CHECK(found_after("#define OPEN \\\n    {\n"));
}

TEST_CASE("a file of more than 700 lines is found") {
    CHECK(tidy::check_file_lines("x.cpp", repeated("a\n", 701)).size() == 1);
    CHECK(tidy::check_file_lines("x.cpp", repeated("a\n", 700)).empty());
}

TEST_CASE("work left over is found") {
    CHECK(tidy::check_leftovers("x.cpp", std::string{"// TO"} + "DO: later\n").size() == 1);
    CHECK(tidy::check_leftovers("x.sql", std::string{"-- FIX"} + "ME\n").size() == 1);
    CHECK(tidy::check_leftovers("x.cpp", std::string{"int a; // XX"} + "X\n").size() == 1);
    CHECK(tidy::check_leftovers("x.cpp", std::string{"/* HA"} + "CK */\n").size() == 1);
    CHECK(tidy::check_leftovers("x.cpp", "HACKATHON\n").empty());
}

TEST_CASE("a library that prints or exits is found") {
    const auto found = [](const char* text, const char* path = "core/src/x.cpp") {
        return tidy::check_manners(path, text).size();
    };
    CHECK(found("std::cout << 1;\n") == 1);
    CHECK(found("std::cerr << 1;\n") == 1);
    CHECK(found("std::printf(\"x\");\n") == 1);
    CHECK(found("fprintf (stderr, \"x\");\n") == 1);
    CHECK(found("::exit(1);\n") == 1);
    CHECK(found("std::exit(1);\n") == 1);
    CHECK(found("std::snprintf(b, 1, \"x\"); on_exit(); loop.exit();\n") == 0);
    CHECK(found("// std::cout is not used\nconst char* a = \"exit(1)\";\n") == 0);
    CHECK(found("std::cout << 1;\n", "apps/cli/src/x.cpp") == 0);
}

TEST_CASE("a mutex that no compiler checks is found") {
    const auto found = [](const char* text, const char* path = "core/src/x.cpp") {
        return tidy::check_mutexes(path, text).size();
    };
    CHECK(found("std::mutex mutex_;\n") == 1);
    CHECK(found("mutable std::shared_mutex mutex_;\n") == 1);
    CHECK(found("std::unique_lock<std::mutex> lock_;\n") == 1);
    CHECK(found("std::condition_variable changed_;\n", "sagas/src/x.hpp") == 1);
    CHECK(found("std::condition_variable_any changed_;\n") == 1);
    CHECK(found("Mutex mutex_;\n// Not a std::mutex.\n") == 0);
    CHECK(found("std::mutex mutex_;\n", "core/internal/daybook/core/mutex.hpp") == 0);
    CHECK(found("std::mutex mutex_;\n", "sagas/src/daybook/core/mutex.hpp") == 1);
    CHECK(found("std::mutex mutex_;\n", "apps/cli/src/x.cpp") == 0);
    CHECK(found("std::mutex mutex_;\n", "tests/support/x.cpp") == 0);
}

TEST_CASE("a header without #pragma once is found") {
    CHECK(tidy::check_pragma_once("core/src/x.hpp", "int a;\n").size() == 1);
    CHECK(tidy::check_pragma_once("core/src/x.hpp", "// #pragma once\nint a;\n").size() == 1);
    CHECK(tidy::check_pragma_once("core/src/x.hpp", "// Why.\n\n#pragma once\n").empty());
    CHECK(tidy::check_pragma_once("core/src/x.cpp", "int a;\n").empty());
}

TEST_CASE("a public header outside its umbrella is found") {
    Tree tree{
        {"core/include/daybook/core/core.hpp", "#include <daybook/core/id.hpp>\n"},
        {"core/include/daybook/core/id.hpp", ""},
        {"include/daybook/daybook.hpp", "#include <daybook/core/core.hpp>\n"},
    };
    CHECK(tidy::check_umbrellas(tree).empty());
    tree["core/include/daybook/core/clock.hpp"] = "";
    CHECK(tidy::check_umbrellas(tree).size() == 1);
    tree["core/include/daybook/core/id.hpp"] = "#include <daybook/core/clock.hpp>\n";
    CHECK(tidy::check_umbrellas(tree).empty());
    tree["core/include/daybook/core/detail/inner.hpp"] = "";
    CHECK(tidy::check_umbrellas(tree).empty());
}

TEST_CASE("a folder outside daybook.hpp, or without an umbrella, is found") {
    Tree tree{
        {"include/daybook/daybook.hpp", ""},
        {"core/include/daybook/core/core.hpp", ""},
    };
    CHECK(tidy::check_umbrellas(tree).size() == 1);
    tree.erase("include/daybook/daybook.hpp");
    CHECK(tidy::check_umbrellas(tree).empty());
    tree["schema/include/daybook/schema/codec.hpp"] = "";
    CHECK(tidy::check_umbrellas(tree).size() == 1);
    tree["apps/cli/include/daybook/command/command.hpp"] = "";
    CHECK(tidy::check_umbrellas(tree).size() == 1);
}

TEST_CASE("an SQL file that is not embedded is found") {
    CHECK(tidy::check_sql_places({{"schema/sql/sqlite/0001_x/tables/event.sql", ""}}).empty());
    CHECK(tidy::check_sql_places({{"schema/sql/sqlite/0001.sql", ""}}).size() == 1);
    CHECK(tidy::check_sql_places({{"schema/sql/sqlite/0001_x/old/tables/e.sql", ""}}).size() == 1);
    CHECK(tidy::check_sql_places({{"messaging/sql/outbox.sql", ""}}).size() == 1);
    CHECK(tidy::check_sql_places({{"examples/shop/report.sql", ""}}).empty());
}

TEST_CASE("a second object in an SQL file is found") {
    const auto check = [](std::string_view text) {
        return tidy::check_sql_objects("schema/sql/sqlite/0001_x/tables/a.sql", text).size();
    };
    CHECK(check("-- why\nCREATE TABLE a(n);\nCREATE INDEX a_by_n ON a(n);\n") == 0);
    CHECK(check("CREATE TABLE a(n);\nCREATE TABLE b(n);\n") == 1);
    CHECK(check("CREATE UNLOGGED TABLE a(n);\nCREATE TYPE b AS (n int);\n") == 1);
}

TEST_CASE("an SQL function with too many parameters is found") {
    const auto check = [](std::string_view text) {
        return tidy::check_sql_parameters("schema/sql/postgres/0001_x/functions/f.sql", text)
            .size();
    };
    CHECK(check("CREATE FUNCTION f() RETURNS void") == 0);
    CHECK(check("CREATE FUNCTION f(a int, b numeric(9, 2), c int, d int, e int, g int, h int, i "
                "int, OUT j int) AS") == 0);
    CHECK(check("CREATE FUNCTION f(a int, b int, c int, d int, e int, g int, h int, i int, j int, "
                "OUT k int) AS") == 1);
}
