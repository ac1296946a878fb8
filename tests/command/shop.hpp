#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "postgres_server.hpp"
#include "process.hpp"

// A directory, a store of the engine under test, in that directory if it is a file, and the
// shortest way to run a program on that store.

using Json = nlohmann::json;

class Shop {
public:
    Shop();
    ~Shop();  ///< removes the directory
    Shop(const Shop&) = delete;
    Shop& operator=(const Shop&) = delete;

    const std::string& directory() const { return directory_; }
    std::string path(const std::string& name) const { return directory_ + "/" + name; }
    std::string store() const { return schema_ ? schema_->uri() : path("shop.db"); }
    bool has_store() const;

    /// `daybook --store S …`, or another program.
    process::Result run(process::Arguments arguments, process::Options options = {}) const;
    process::Result bank(process::Arguments arguments) const;
    /// The same with `--json`: the objects of stdout. Fails the test unless the code is 0.
    std::vector<Json> records(process::Arguments arguments) const;
    std::vector<Json> bank_records(process::Arguments arguments) const;

    /// Appends one event of type `order.placed` by the command; fails the test unless it works.
    void place(const std::string& stream, const std::string& data = "{}") const;

private:
    std::string directory_;
    std::optional<daybook::test::PostgresSchema> schema_;
};

/// The keys of an object, in their order in the text.
std::vector<std::string> keys(const std::string& line);
