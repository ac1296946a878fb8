#include "engine/postgres/session_settings.hpp"

#include <algorithm>
#include <limits>

#include "daybook/eventstore/sql.hpp"

namespace daybook::postgres {

namespace {

/// A server takes an int of milliseconds, and zero means to it what `forever` means to us.
std::string lock_timeout(std::chrono::milliseconds busy_wait_max) {
    using std::chrono::milliseconds;
    constexpr milliseconds longest{std::numeric_limits<std::int32_t>::max()};
    return std::to_string(std::clamp(busy_wait_max, milliseconds{1}, longest).count());
}

/// What transactions are, and who may end them.
void add_transactions(Settings& settings, int server_version) {
    // The store's lock orders its writers; each statement has to see what the one before committed.
    settings.emplace_back("default_transaction_isolation", "read committed");
    settings.emplace_back("default_transaction_read_only", "off");
    settings.emplace_back("default_transaction_deferrable", "off");
    // A program's handler may take its time in a unit, and a schema may build large indexes.
    settings.emplace_back("statement_timeout", "0");
    settings.emplace_back("idle_in_transaction_session_timeout", "0");
    if (server_version >= 140000) settings.emplace_back("idle_session_timeout", "0");
    if (server_version >= 170000) settings.emplace_back("transaction_timeout", "0");
}

/// How values are written, and how texts of statements are read.
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

/// How statements are planned: every one of the store's goes by an index.
void add_planning(Settings& settings) {
    settings.emplace_back("jit", "off");
    // What the planner was told about a table when it was small must not lead it to read a large
    // one from end to end.
    settings.emplace_back("enable_seqscan", "off");
    // Nor to gather and sort all of an index before it gives the first rows of it.
    settings.emplace_back("enable_bitmapscan", "off");
    settings.emplace_back("enable_indexscan", "on");
    settings.emplace_back("enable_indexonlyscan", "on");
    settings.emplace_back("enable_nestloop", "on");
    // Arrays of other lengths would otherwise be reason enough to plan each statement of
    // `append_events` again and again, which takes longer than running it.
    settings.emplace_back("plan_cache_mode", "force_generic_plan");
}

}  // namespace

Settings session_settings(const Place& place, const StoreOptions& options, int server_version) {
    Settings settings{
        {"search_path", quoted_name(place.schema)},
        {"lock_timeout", lock_timeout(options.busy_wait_max)},
        {"synchronous_commit", options.durability == Durability::full ? "on" : "off"},
        // A program whose machine has lost power says no goodbye. Until the server asks whether it
        // is still there, after hours if nobody says otherwise, its unit keeps the store's lock.
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
