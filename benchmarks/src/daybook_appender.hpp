#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <daybook/core/stream_name.hpp>
#include <daybook/eventstore/event_store.hpp>

#include "sample.hpp"
#include "timed_calls.hpp"

namespace bench {

/// How many streams the cases that append choose from.
inline constexpr std::size_t append_streams = 20'000;

/// Appends to a Daybook store, and counts what it must hold.
class DaybookAppender {
public:
    DaybookAppender(const std::string& uri, const Sample& sample);

    /// Appends `per_call` events to one random stream in one call.
    void append(std::size_t per_call);
    /// Appends `per_call` events, each to a random stream, in one transaction.
    void scatter(std::size_t per_call);
    /// Appends one event; each stream has one caller at a time.
    void append_to(std::size_t stream, std::size_t event_index);
    /// Keeps `outstanding` appends of one event each outstanding from one thread, for `time`, and
    /// waits for the last of them.
    CompletedCalls keep_outstanding(std::size_t outstanding, std::chrono::milliseconds time);
    /// Events that were appended by `append_to`.
    void add_events(std::uint64_t events) { events_ += events; }

    /// Throws WrongResult unless the store holds exactly what was appended.
    void check() const;

private:
    const Sample& sample_;
    daybook::EventStore store_;
    const std::vector<daybook::StreamName> names_;
    std::vector<std::uint64_t> versions_ = std::vector<std::uint64_t>(append_streams);
    std::uint64_t events_ = 0;
    std::mt19937_64 random_{11};
    std::vector<daybook::NewEvent> batch_;
};

}  // namespace bench
