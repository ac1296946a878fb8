#include "engine/postgres/session_settings.hpp"

#include <algorithm>
#include <limits>

#include "daybook/eventstore/sql.hpp"

namespace daybook::postgres {

namespace {

/// The server takes an int of milliseconds, where zero means to wait without limit.
std::string lock_timeout(std::chrono::milliseconds busy_wait_max) {
    using std::chrono::milliseconds;
    constexpr milliseconds longest{std::numeric_limits<std::int32_t>::max()};
    return std::to_string(std::clamp(busy_wait_max, milliseconds{1}, longest).count());
}

/// The defaults of transactions, and no time limit that would end one.
void add_transactions(Settings& settings, int server_version) {
    // The store's lock orders the writers. Once a transaction has the lock, its next statement must
    // see what the previous holder has committed. At a higher isolation level its snapshot could be
    // older than that commit, and it would give a position or a version a second time.
    settings.emplace_back("default_transaction_isolation", "read committed");
    settings.emplace_back("default_transaction_read_only", "off");
    settings.emplace_back("default_transaction_deferrable", "off");
    // A program's function may run for long in a transaction, and a script may build large indexes.
    settings.emplace_back("statement_timeout", "0");
    settings.emplace_back("idle_in_transaction_session_timeout", "0");
    if (server_version >= 140000) settings.emplace_back("idle_session_timeout", "0");
    if (server_version >= 170000) settings.emplace_back("transaction_timeout", "0");
}

/// How the server writes values and parses statements.
void add_values(Settings& settings) {
    settings.emplace_back("bytea_output", "hex");
    settings.emplace_back("extra_float_digits", "1");
    settings.emplace_back("DateStyle", "ISO, MDY");
    settings.emplace_back("IntervalStyle", "postgres");
    settings.emplace_back("TimeZone", "UTC");
    settings.emplace_back("client_encoding", "UTF8");
    settings.emplace_back("lc_monetary", "C");
    settings.emplace_back("lc_numeric", "C");
    settings.emplace_back("lc_time", "C");
    settings.emplace_back("standard_conforming_strings", "on");
    settings.emplace_back("array_nulls", "on");
    settings.emplace_back("transform_null_equals", "off");
    settings.emplace_back("xmloption", "content");
    settings.emplace_back("row_security", "on");
    settings.emplace_back("check_function_bodies", "on");
}

/// How the server plans statements: each statement of the store is made for an index.
void add_planning(Settings& settings) {
    settings.emplace_back("jit", "off");
    // With statistics from a time when a table was small, the planner would read a large table from
    // end to end.
    settings.emplace_back("enable_seqscan", "off");
    // A bitmap scan reads and sorts the whole range before it returns the first row of a page.
    settings.emplace_back("enable_bitmapscan", "off");
    settings.emplace_back("enable_indexscan", "on");
    settings.emplace_back("enable_indexonlyscan", "on");
    settings.emplace_back("enable_nestloop", "on");
    // The parameters of `append_events` are arrays of changing length. With custom plans the server
    // would plan its statements in every call, which takes longer than running them.
    settings.emplace_back("plan_cache_mode", "force_generic_plan");
}

}  // namespace

Settings session_settings(const ConnectionString& connection_string, const StoreOptions& options,
                          int server_version) {
    Settings settings{
        {"search_path", quoted_name(connection_string.schema)},
        {"lock_timeout", lock_timeout(options.busy_wait_max)},
        {"synchronous_commit", options.durability == Durability::full ? "on" : "off"},
        // A program whose machine loses power does not close its connection, and its transaction
        // keeps the store's lock until the server notices. With the usual defaults of the system
        // that takes hours; with these settings it takes 30 seconds.
        {"tcp_keepalives_idle", "10"},
        {"tcp_keepalives_interval", "5"},
        {"tcp_keepalives_count", "4"},
    };
    add_transactions(settings, server_version);
    add_values(settings);
    add_planning(settings);
    return settings;
}

}  // namespace daybook::postgres
