#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <daybook/projections/keyed_projection.hpp>

#include "sample.hpp"

// The read models of the cases that rebuild.

namespace bench {

/// A row of the read models: what an account's bookings come to.
struct Counter {
    std::string key;
    std::int64_t events = 0;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("key", &Counter::key, "events", &Counter::events, "cents",
                               &Counter::cents);
    }
};

struct Counted : daybook::KeyedProjection<Counted, Counter, Booked> {
    static constexpr std::string_view name = "counted";
    static constexpr int version = 1;
    void on(const daybook::Recorded<Booked>&, Counter& row) { ++row.events; }
};

struct Summed : daybook::KeyedProjection<Summed, Counter, Booked> {
    static constexpr std::string_view name = "summed";
    static constexpr int version = 1;
    void on(const daybook::Recorded<Booked>& event, Counter& row) {
        ++row.events;
        row.cents += event->cents;
    }
};

struct CountedBySql : daybook::Projection<CountedBySql, Booked> {
    static constexpr std::string_view name = "counted_by_sql";
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE counted_by_sql(key TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID;";
    void on(const daybook::Recorded<Booked>& event, daybook::View& view) {
        view.exec(
            "INSERT INTO counted_by_sql(key, events) VALUES(?, 1) "
            "ON CONFLICT(key) DO UPDATE SET events = counted_by_sql.events + 1",
            event.stream());
    }
};

}  // namespace bench
