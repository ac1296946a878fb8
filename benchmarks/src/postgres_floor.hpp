#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "floor_postgres.h"

namespace bench {

/// The PostgreSQL floor's connection as a C++ class: the destructor closes it, failures throw
/// std::runtime_error.
class PostgresFloor {
public:
    enum class Schema { existing, make };

    PostgresFloor(const std::string& uri, const std::string& schema, Schema mode)
        : floor_(pg_floor_open(uri.c_str(), schema.c_str(), mode == Schema::make)) {
        if (floor_ != nullptr && *pg_floor_error(floor_) == '\0') return;
        const std::string text = std::string("floor: open: ") + pg_floor_error(floor_);
        pg_floor_close(floor_);
        throw std::runtime_error(text);
    }
    ~PostgresFloor() { pg_floor_close(floor_); }
    PostgresFloor(const PostgresFloor&) = delete;
    PostgresFloor& operator=(const PostgresFloor&) = delete;

    void call(const floor_event& event) { check(pg_floor_call(floor_, &event), "call"); }
    void insert(const floor_event& event) { check(pg_floor_insert(floor_, &event), "insert"); }
    void append(std::span<const floor_event> events) {
        check(pg_floor_append(floor_, events.data(), events.size()), "append");
    }
    void name_streams() { check(pg_floor_name_streams(floor_), "name streams"); }
    void call_new(const std::string& name, const floor_event& event) {
        check(pg_floor_call_new(floor_, name.c_str(), &event), "call new");
    }
    floor_sum load(std::int64_t stream) {
        floor_sum sum{};
        check(pg_floor_load(floor_, stream, &sum), "load");
        return sum;
    }
    floor_sum read_all() {
        floor_sum sum{};
        check(pg_floor_read_all(floor_, &sum), "read all");
        return sum;
    }
    void rebuild(pg_floor_way way, std::span<const char* const> names) {
        check(pg_floor_rebuild(floor_, way, names.data(), names.size()), "rebuild");
    }
    void read_counter(std::int64_t& keys, std::int64_t& events) {
        check(pg_floor_read_counter(floor_, &keys, &events), "read counter");
    }
    void fill_outbox(const floor_event& event, std::int64_t messages) {
        check(pg_floor_fill_outbox(floor_, &event, messages), "fill outbox");
    }
    std::int64_t relay(std::int64_t batch) {
        std::int64_t messages = 0;
        check(pg_floor_relay(floor_, batch, &messages), "relay");
        return messages;
    }

private:
    void check(int failed, const char* what) const {
        if (failed != 0)
            throw std::runtime_error(std::string("floor: ") + what + ": " + pg_floor_error(floor_));
    }

    pg_floor* floor_;
};

}  // namespace bench
