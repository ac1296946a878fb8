#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/messaging.hpp"
#include "store_location.hpp"

namespace daybook::test {

using namespace std::chrono_literals;

/// A message that is identified by its number.
struct Parcel {
    static constexpr EventType type{"parcel.sent", 1};
    std::int64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Parcel::n); }
};

struct Letter {
    static constexpr EventType type{"letter.sent", 1};
    std::string text;
    static constexpr auto fields() { return daybook::fields("text", &Letter::text); }
};

inline const Timestamp noon = parse_iso8601("2016-07-04T12:00:00Z");

/// A new store with a virtual clock.
struct Shop {
    VirtualClock clock{noon};
    EventStore store = new_store({.durability = Durability::off, .clock = &clock});

    EventId send(std::int64_t n, PublishOptions options = {}, std::string_view topic = "post") {
        EventId id;
        store.transact([&](Transaction& tx) { id = tx.publish(topic, Parcel{n}, options); });
        return id;
    }
    std::size_t waiting() const { return outbox_list(store).size(); }
};

/// A transport with outcomes chosen by the test; records the messages that it receives.
class ScriptedTransport final : public Transport {
public:
    using Script = std::function<Delivery(const Message&)>;

    explicit ScriptedTransport(Script script = {}) : script_(std::move(script)) {}

    Delivery deliver(const Message& message) override {
        const std::scoped_lock lock{mutex_};
        seen_.push_back(message);
        return script_ ? script_(message) : Delivery{};
    }
    void set_script(Script script) { script_ = std::move(script); }

    /// Returns the numbers of the parcels in the order of delivery, and clears them.
    std::vector<std::int64_t> take() {
        std::vector<std::int64_t> numbers;
        for (const Message& message : seen_) numbers.push_back(message.as<Parcel>().n);
        seen_.clear();
        return numbers;
    }
    const std::vector<Message>& seen() const { return seen_; }

private:
    std::mutex mutex_;
    Script script_;
    std::vector<Message> seen_;
};

inline Delivery failed(std::string why = "not now") {
    return {Delivery::Status::failed, std::move(why), {}};
}
inline Delivery rejected(std::string why = "never") {
    return {Delivery::Status::rejected, std::move(why), {}};
}
inline Delivery down(std::string why = "nobody there") {
    return {Delivery::Status::down, std::move(why), {}};
}

using Numbers = std::vector<std::int64_t>;

/// Retries after exactly a second, three attempts in all.
inline RelayOptions patient() { return {.name = "relay", .retry = every(1s).attempts(3)}; }

}  // namespace daybook::test
