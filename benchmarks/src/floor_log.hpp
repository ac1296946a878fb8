#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "floor.h"

namespace bench {

/// The floor's log as a C++ class: the destructor closes it, failures throw std::runtime_error.
class FloorLog {
public:
    explicit FloorLog(const std::string& path) : log_(floor_open(path.c_str())) {
        if (log_ == nullptr || *floor_error(log_) != '\0') fail(path);
    }
    ~FloorLog() { floor_close(log_); }
    FloorLog(const FloorLog&) = delete;
    FloorLog& operator=(const FloorLog&) = delete;

    void append(std::span<const floor_event> events) {
        if (floor_append(log_, events.data(), events.size()) != 0) fail("append");
    }
    floor_sum load(std::int64_t stream) {
        floor_sum sum{};
        if (floor_load(log_, stream, &sum) != 0) fail("load");
        return sum;
    }
    floor_sum read_all() {
        floor_sum sum{};
        if (floor_read_all(log_, &sum) != 0) fail("read all");
        return sum;
    }
    floor_sum read_slim() {
        floor_sum sum{};
        if (floor_read_slim(log_, &sum) != 0) fail("read all");
        return sum;
    }
    void rebuild(floor_way way, const std::string& path, std::span<const char* const> names) {
        if (floor_rebuild(log_, way, path.c_str(), names.data(), names.size()) != 0)
            fail("rebuild");
    }

private:
    [[noreturn]] void fail(const std::string& what) {
        const std::string text = "floor: " + what + ": " + floor_error(log_);
        floor_close(log_);
        log_ = nullptr;
        throw std::runtime_error(text);
    }

    floor_log* log_;
};

}  // namespace bench
