#include <filesystem>
#include <fstream>
#include <optional>

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "shop.hpp"

// Disks that cannot be written. The store holds the acknowledged events afterwards, and no others.

namespace {

namespace fs = std::filesystem;

process::Arguments append(const std::string& store, int number) {
    return {"--store",
            store,
            "append",
            "order-1",
            "--json",
            "--type",
            "t",
            "--data",
            "{\"n\":" + std::to_string(number) + ",\"fill\":\"" + std::string(8'000, 'x') + "\"}"};
}

/// Appends until the disk is full; returns how many were acknowledged.
int append_until_full(const std::string& store, const process::Options& options, int most) {
    for (int number = 1; number <= most; ++number) {
        const auto result = process::run(append(store, number), options);
        if (result.code == 0) {
            CHECK(Json::parse(result.out).at("version") == number);
            continue;
        }
        INFO(result.err);
        CHECK(result.code == 6);
        CHECK(result.out.empty());
        CHECK(Json::parse(process::lines(result.err).back()).at("error") == "storage");
        return number - 1;
    }
    return most;
}

void expect_exactly(const std::string& store, int acknowledged) {
    const auto read = process::run({"--store", store, "read", "--all", "--json"});
    INFO(read.err);
    REQUIRE(read.code == 0);
    const auto events = process::lines(read.out);
    REQUIRE(events.size() == static_cast<std::size_t>(acknowledged));
    for (int i = 0; i < acknowledged; ++i) {
        const Json event = Json::parse(events[static_cast<std::size_t>(i)]);
        CHECK(event.at("position") == i + 1);
        CHECK(event.at("data").at("n") == i + 1);
    }
}

/// A file system of a few pages, if this process may mount one.
class SmallDisk {
public:
    explicit SmallDisk(std::string directory) : directory_(std::move(directory)) {
        fs::create_directory(directory_);
        mounted_ = ::mount("tmpfs", directory_.c_str(), "tmpfs", 0, "size=2m") == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount(directory_.c_str());
    }
    bool mounted() const { return mounted_; }

private:
    std::string directory_;
    bool mounted_ = false;
};

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a directory without rights is reported as such and the store opens afterwards [E22]") {
    const Shop shop;
    shop.append_order("order-1");
    const auto events = shop.records({"read", "--all"});
    fs::permissions(shop.directory(), fs::perms{0555});

    const auto refused =
        shop.run({"append", "order-1", "--type", "t", "--data", "1"}, {.as_nobody = true});
    INFO(refused.err);
    CHECK(refused.code == 1);
    CHECK(refused.out.empty());
    CHECK(refused.err.starts_with("daybook: storage: "));

    fs::permissions(shop.directory(), fs::perms{0755});
    CHECK(shop.records({"read", "--all"}) == events);
    shop.append_order("order-1");
}

TEST_CASE("a store cannot be made in a directory without rights [E22]") {
    const Shop shop;
    fs::permissions(shop.directory(), fs::perms{0555});
    const auto refused =
        shop.run({"append", "order-1", "--type", "t", "--data", "1"}, {.as_nobody = true});
    INFO(refused.err);
    CHECK(refused.code == 1);
    CHECK(refused.err.starts_with("daybook: storage: "));
    CHECK_FALSE(fs::exists(shop.store()));
    fs::permissions(shop.directory(), fs::perms{0755});
    shop.append_order("order-1");
}

TEST_CASE("a file that may only be read can be read or is a storage error") {
    const Shop shop;
    shop.append_order("order-1");
    fs::permissions(shop.store(), fs::perms{0444});
    const auto result = shop.run({"read", "--all"}, {.as_nobody = true});
    INFO(result.err);
    CHECK((result.code == 0 || result.code == 6));
    fs::permissions(shop.store(), fs::perms{0644});
    shop.append_order("order-1");
}

TEST_CASE("a disk that fills up loses nothing that was acknowledged") {
    const Shop shop;
    shop.append_order("other-1");
    const auto size = fs::file_size(shop.store());
    const std::string store = shop.path("full.db");

    const int acknowledged = append_until_full(store, {.file_bytes_max = size + 100'000}, 200);
    CHECK(acknowledged > 0);
    CHECK(acknowledged < 200);
    expect_exactly(store, acknowledged);

    const auto after = process::run(append(store, acknowledged + 1));
    CHECK(after.code == 0);
    expect_exactly(store, acknowledged + 1);
}

TEST_CASE("a disk without room for a new store leaves nothing that cannot be opened") {
    const Shop shop;
    const auto refused =
        shop.run({"append", "order-1", "--type", "t", "--data", "1"}, {.file_bytes_max = 8'192});
    INFO(refused.err);
    CHECK(refused.code == 6);
    CHECK(refused.err.find("daybook: storage: ") != std::string::npos);
    shop.append_order("order-1");
    CHECK(shop.records({"read", "--all"}).size() == 1);
}

TEST_CASE("a full file system loses nothing that was acknowledged") {
    const Shop shop;
    const SmallDisk disk{shop.path("disk")};
    if (!disk.mounted()) {
        MESSAGE("no file system can be mounted here");
        return;
    }
    const std::string filler = shop.path("disk/filler");
    std::ofstream{filler} << std::string(512 * 1024, 'x');
    const std::string store = shop.path("disk/small.db");

    const int acknowledged = append_until_full(store, {}, 200);
    CHECK(acknowledged > 0);
    CHECK(acknowledged < 200);

    fs::remove(filler);
    expect_exactly(store, acknowledged);
    CHECK(process::run(append(store, acknowledged + 1)).code == 0);
    expect_exactly(store, acknowledged + 1);
}

TEST_SUITE_END();
