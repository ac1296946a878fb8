#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "append_stores.hpp"
#include "case.hpp"
#include "log_stores.hpp"
#include "options.hpp"
#include "postgres_server.hpp"
#include "scratch.hpp"

namespace bench {

/// What cases are made from. A store that several cases share is filled on its first use.
class Bench {
public:
    explicit Bench(const Options& options)
        : quick(options.quick), scratch(options.directory), postgres_uri_(options.postgres) {}

    const bool quick;
    const Scratch scratch;

    /// `full`, or a fifth of it in a quick run.
    std::size_t scaled(std::size_t full) const { return quick ? full / 5 : full; }
    std::size_t rounds() const { return quick ? 3 : 11; }
    std::shared_ptr<AppendStores> append_stores();
    std::shared_ptr<LogStores> log_stores();

    /// Only if the options name a server.
    const PostgresServer& postgres();
    std::shared_ptr<PostgresAppendStores> postgres_append_stores();
    std::shared_ptr<PostgresLogStores> postgres_log_stores();

private:
    const std::string postgres_uri_;
    std::unique_ptr<PostgresServer> postgres_;
    std::shared_ptr<AppendStores> append_stores_;
    std::shared_ptr<LogStores> log_stores_;
    std::shared_ptr<PostgresAppendStores> postgres_append_stores_;
    std::shared_ptr<PostgresLogStores> postgres_log_stores_;
};

struct CaseEntry {
    std::string_view id;
    Case (*make)(Bench& bench);

    bool needs_postgres() const { return id.starts_with('P'); }
};

/// All cases, in the order in which they run.
std::span<const CaseEntry> all_cases();

Case append_one(Bench& bench);
Case append_ten(Bench& bench);
Case append_one_fresh(Bench& bench);
Case append_ten_fresh(Bench& bench);
Case append_hundred(Bench& bench);
Case blocking_callers(Bench& bench);
Case load_aggregate(Bench& bench);
Case read_log(Bench& bench);
Case rebuild_counter(Bench& bench);
Case rebuild_by_sql(Bench& bench);

Case postgres_append_one(Bench& bench);
Case postgres_new_streams(Bench& bench);
Case postgres_append_many(Bench& bench);
Case postgres_callers(Bench& bench);
Case postgres_load_aggregate(Bench& bench);
Case postgres_read_log(Bench& bench);
Case postgres_rebuild(Bench& bench);
Case postgres_relay(Bench& bench);

}  // namespace bench
