#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

struct RelayOptions {
    /// Who this is, in leases and logs; empty: host, process and a random part.
    std::string name{};
    /// After the last attempt the message parks, and with it its key.
    Backoff retry = exponential{std::chrono::milliseconds{200}, 2.0, std::chrono::seconds{30}}
                        .full_jitter()
                        .attempts(8);
    std::size_t batch_max = 100;
    /// A relay that dies is replaced after this time.
    std::chrono::milliseconds lease{5'000};
    /// How long to rest when the transport says that it is down.
    std::chrono::milliseconds down_pause{1'000};
};

/// Delivers the outbox: at least once, in order per key, retrying, parking what cannot be
/// delivered. Several relays may run on one store, in one or many processes; leases with fencing
/// tokens keep them apart.
class Relay {
public:
    /// `transport` must outlive the relay.
    Relay(EventStore store, Transport& transport, RelayOptions options = {});
    ~Relay();  ///< stops it

    /// Delivers what is due now on the caller's thread; returns how many messages it brought to an
    /// end (delivered or parked). For tests, simulations and programs with a loop of their own.
    std::size_t run_once();
    /// When the next waiting message is due (delayed or to be retried); nothing if none waits.
    std::optional<Timestamp> next_due() const;

    /// Runs on a thread of its own, woken by commits, until `stop`.
    void start();
    void stop();

    /// Why it does not get on, or empty.
    std::string last_error() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
