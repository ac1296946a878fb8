#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "postgres_server.hpp"
#include "process.hpp"

// A temporary directory with a store of the engine under test (a file in it, or a schema on the
// server), and short ways to run a program on that store.

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

    /// Runs `daybook --store S …`, or another program.
    process::Result run(process::Arguments arguments, process::Options options = {}) const;
    process::Result bank(process::Arguments arguments) const;
    /// The same with `--json`. Returns the objects of stdout; fails the test unless the code is 0.
    std::vector<Json> records(process::Arguments arguments) const;
    std::vector<Json> bank_records(process::Arguments arguments) const;

    /// Appends one event of type `order.placed` by the command; fails the test unless the code is
    /// 0.
    void append_order(const std::string& stream, const std::string& data = "{}") const;

private:
    std::string directory_;
    std::optional<daybook::test::PostgresSchema> schema_;
};

/// The keys of an object, in their order in the text.
std::vector<std::string> keys(const std::string& line);
