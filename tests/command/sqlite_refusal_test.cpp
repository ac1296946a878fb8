#include <fstream>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "shop.hpp"

// Files that are no stores, or stores that this program cannot read.

namespace {

// To be called only while no program has the store open.
void execute(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    CHECK(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
}

void set_schema_version(const std::string& path, int version) {
    execute(path, "PRAGMA user_version = " + std::to_string(version));
}

int schema_version(const std::string& path) {
    sqlite3* database = nullptr;
    int version = -1;
    REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    sqlite3_exec(
        database, "PRAGMA user_version",
        [](void* to, int, char** values, char**) {
            *static_cast<int*>(to) = std::stoi(values[0]);
            return 0;
        },
        &version, nullptr);
    sqlite3_close(database);
    return version;
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a file in a missing directory is not found") {
    const Shop shop;
    const auto result = process::run({"--store", shop.path("no/such/dir.db"), "append", "order-1",
                                      "--type", "t", "--data", "1"});
    CHECK(result.code == 3);
}

TEST_CASE("a store from the future is refused and left as it is") {
    const Shop shop;
    shop.append_order("order-1");
    const auto events = shop.records({"read", "--all"});
    const int version = schema_version(shop.store());
    set_schema_version(shop.store(), version + 1);

    for (const auto& arguments : std::vector<process::Arguments>{
             {"read", "--all"}, {"append", "order-1", "--type", "t", "--data", "1"}}) {
        const auto result = shop.run(arguments);
        INFO(result.err);
        CHECK(result.code == 2);
        CHECK(result.err.starts_with("daybook: invalid: "));
        CHECK(result.err.find("newer") != std::string::npos);
    }
    CHECK(schema_version(shop.store()) == version + 1);

    set_schema_version(shop.store(), version);
    CHECK(shop.records({"read", "--all"}) == events);
    shop.append_order("order-1");
}

TEST_CASE("a file that is no store is refused and left as it is") {
    const Shop shop;
    const std::string text = "This is a letter and no store.\n";
    std::ofstream{shop.store()} << text;
    const auto result = shop.run({"append", "order-1", "--type", "t", "--data", "1"});
    INFO(result.err);
    CHECK(result.code == 5);
    CHECK(result.err.starts_with("daybook: corrupt: "));
    std::ifstream file{shop.store()};
    CHECK(std::string{std::istreambuf_iterator<char>{file}, {}} == text);
}

TEST_CASE("a damaged store is corrupt and not misread") {
    const Shop shop;
    std::string batch;
    for (int i = 0; i < 500; ++i) {
        batch += "{\"type\":\"t\",\"data\":\"" + std::string(200, 'x') + "\"}\n";
    }
    REQUIRE(shop.run({"append", "order-1"}, {.input = batch}).code == 0);
    execute(shop.store(), "PRAGMA wal_checkpoint(TRUNCATE)");
    {
        std::fstream file{shop.store(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekg(0, std::ios::end);
        const auto size = static_cast<std::size_t>(file.tellg());
        file.seekp(4096);
        file << std::string(size - 4096, '\xa5');
    }
    const auto result = shop.run({"read", "--all"});
    INFO(result.err);
    CHECK(result.code == 5);
    CHECK(result.err.starts_with("daybook: corrupt: "));
}

TEST_SUITE_END();
