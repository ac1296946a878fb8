#include "shop.hpp"

#include <filesystem>
#include <stdexcept>

#include <doctest/doctest.h>
#include <stdlib.h>

#include "store_location.hpp"

namespace {

std::vector<Json> parse(const process::Result& result) {
    INFO(result.err);
    REQUIRE(result.code == 0);
    std::vector<Json> all;
    for (const auto& line : process::lines(result.out)) all.push_back(Json::parse(line));
    return all;
}

}  // namespace

Shop::Shop() {
    std::string path = (std::filesystem::temp_directory_path() / "daybook-command-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = path;
    // Other users may list it, as they may list a shared directory.
    std::filesystem::permissions(directory_, std::filesystem::perms{0755});
    if (daybook::test::on_postgres()) schema_.emplace();
}

Shop::~Shop() {
    std::error_code ignored;
    std::filesystem::permissions(directory_, std::filesystem::perms{0755}, ignored);
    std::filesystem::remove_all(directory_, ignored);
}

bool Shop::has_store() const {
    return schema_ ? schema_->exists() : std::filesystem::exists(store());
}

process::Result Shop::run(process::Arguments arguments, process::Options options) const {
    arguments.insert(arguments.begin(), {"--store", store()});
    return process::run(arguments, options);
}

process::Result Shop::bank(process::Arguments arguments) const {
    return run(std::move(arguments), {.program = BANK_PROGRAM});
}

std::vector<Json> Shop::records(process::Arguments arguments) const {
    arguments.emplace_back("--json");
    return parse(run(std::move(arguments)));
}

std::vector<Json> Shop::bank_records(process::Arguments arguments) const {
    arguments.emplace_back("--json");
    return parse(bank(std::move(arguments)));
}

void Shop::append_order(const std::string& stream, const std::string& data) const {
    const auto result = run({"append", stream, "--type", "order.placed", "--data", data});
    INFO(result.err);
    REQUIRE(result.code == 0);
}

std::vector<std::string> keys(const std::string& line) {
    std::vector<std::string> all;
    const auto object = nlohmann::ordered_json::parse(line);
    for (const auto& [key, value] : object.items()) all.push_back(key);
    return all;
}
