#include "store_location.hpp"

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string_view>

#include "patience.hpp"

namespace daybook::test {

bool on_postgres() {
    const char* const given = std::getenv("DAYBOOK_TEST_ENGINE");
    const std::string_view engine = given == nullptr ? "sqlite" : given;
    if (engine != "sqlite" && engine != "postgres") {
        throw std::runtime_error("DAYBOOK_TEST_ENGINE is sqlite or postgres, and not " +
                                 std::string(engine));
    }
    return engine == "postgres";
}

namespace {

/// With the default limits, waits for other writers and for a server are as long as all waits of
/// tests.
StoreOptions patient(StoreOptions options) {
    const StoreOptions usual;
    if (options.busy_wait_max == usual.busy_wait_max) options.busy_wait_max = patience();
    if (options.reply_wait_max == usual.reply_wait_max) options.reply_wait_max = patience();
    return options;
}

}  // namespace

StoreLocation::StoreLocation() {
    if (on_postgres()) {
        schema_ = std::make_unique<PostgresSchema>();
        uri_ = schema_->uri();
    } else {
        directory_ = std::make_unique<TemporaryDirectory>();
        uri_ = directory_->file("store.db");
    }
}

EventStore StoreLocation::open(StoreOptions options) const {
    return EventStore::open(uri_, patient(std::move(options)));
}

bool StoreLocation::exists() const {
    return schema_ ? schema_->exists() : std::filesystem::exists(uri_);
}

EventStore new_store(StoreOptions options) {
    if (!on_postgres()) return EventStore::open(":memory:", patient(std::move(options)));
    static std::mutex mutex;
    static std::deque<StoreLocation> locations;
    const std::scoped_lock lock{mutex};
    return locations.emplace_back().open(std::move(options));
}

bool has_relation(Sql& sql, const std::string& name) {
    const char* const statement = on_postgres()
                                      ? "SELECT count(*) FROM pg_class WHERE relname = ? "
                                        "AND relnamespace = (SELECT oid FROM pg_namespace "
                                        "WHERE nspname = current_schema())"
                                      : "SELECT count(*) FROM sqlite_schema WHERE name = ?";
    return sql.integer(statement, name).value_or(0) > 0;
}

}  // namespace daybook::test
