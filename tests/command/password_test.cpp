#include <filesystem>

#include <doctest/doctest.h>

#include "shop.hpp"

// A password is printed nowhere, and never becomes part of a file's name.

namespace {

constexpr const char* secret = "hunter2";

void expect_secret(const process::Result& result) {
    CHECK(result.code != 0);
    CHECK_MESSAGE(result.out.find(secret) == std::string::npos, result.out);
    CHECK_MESSAGE(result.err.find(secret) == std::string::npos, result.err);
}

const std::vector<std::string> spellings{
    "postgresql://app:hunter2@127.0.0.1:1/shop",
    "postgresql://app@127.0.0.1:1/shop?password=hunter2",
    "postgresql://app@127.0.0.1:1/shop?pass%77ord=hunter2",
    "postgresql://app@127.0.0.1:1/shop?PASSWORD=hunter2",
    "postgresql://app@127.0.0.1:1/shop?sslpassword=hunter2",
    "postgresql://app@127.0.0.1:1/shop?password=a&hunter2",
    "postgresql://app:a/hunter2@127.0.0.1:1/shop",
    "postgresql://app/hunter2@127.0.0.1:1/shop",
    "postgresql://app:hunter2/shop",
    "postgresql://app%3Ahunter2@127.0.0.1:1/shop",
    "postgresql://app%3Ahunter2%40127.0.0.1:1/shop",
    "postgresql:///app:hunter2@127.0.0.1/shop",
    "postgresql://127.0.0.1:1/shop?user=app:hunter2",
    "postgresql://127.0.0.1:1/shop?user=app%3Ahunter2",
    "postgresql://127.0.0.1:1/shop password=hunter2",
    "postgresql://127.0.0.1:1/shop%20password%3Dhunter2",
    "postgresql:app:hunter2@127.0.0.1/shop",
    "postgresql//app:hunter2@127.0.0.1/shop",
    "postgresql:/app:hunter2@127.0.0.1/shop",
    "PostgreSQL:app:hunter2@127.0.0.1/shop",
    "POSTGRESQL://app:hunter2@127.0.0.1:1/shop",
    "app:hunter2@127.0.0.1",
    "jdbc:postgresql://127.0.0.1:1/shop?password=hunter2",
    "host=127.0.0.1 user=app password=hunter2 dbname=shop",
    "host = 127.0.0.1 Password = 'hunter2'",
    "password=hunter2",
    "password=hunter2 postgresql://127.0.0.1:1/shop",
    "Server=127.0.0.1;User Id=app;Pwd=hunter2",
};

}  // namespace

TEST_CASE("a password is printed nowhere however the name of the store is spelt [E20]" *
          doctest::test_suite("no-store")) {
    const Shop shop;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(shop.directory());
    for (const std::string& name : spellings) {
        INFO(name);
        expect_secret(
            process::run({"append", "a-1", "--type", "t", "--data", "1", "--store", name}));
        expect_secret(process::run({"read", "--all", "--store", name, "--json"}));
        expect_secret(process::run({"streams"}, {.environment = {"DAYBOOK_STORE=" + name}}));
    }
    CHECK(std::filesystem::is_empty(shop.directory()));
    std::filesystem::current_path(before);
}

TEST_CASE("a password is not printed where an argument stands in the wrong place [E20]") {
    const Shop shop;
    shop.append_order("order-1");
    const std::string name = "postgresql://app:hunter2@127.0.0.1:1/shop";
    expect_secret(shop.run({"read", "--stor", name}));
    expect_secret(shop.run({"read", "--stor=" + name}));
    expect_secret(shop.run({"read", "order-1", name}));
    expect_secret(shop.run({"read", name}));
    expect_secret(shop.run({name}));
    expect_secret(shop.run({"outbox", "show", name, "--json"}));
    expect_secret(shop.run({"migrate", "--from", shop.store(), "--to", name}));
    expect_secret(shop.run({"mirror", "--once", "--from", name, "--to", shop.store()}));
}
