#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

/// How a Relay delivers, and when it gives up.
struct RelayOptions {
    /// The name in leases and logs; empty: `host/process/random`. A program that is restarted
    /// under the same name continues at once, without waiting for the lease of its previous run to
    /// expire; two relays that run at the same time need different names.
    std::string name{};
    /// After the last attempt the message is parked, and the later messages of its key wait.
    Backoff retry = exponential(std::chrono::milliseconds{200}, 2.0, std::chrono::seconds{30})
                        .full_jitter()
                        .attempts(8);
    std::size_t batch_max = 100;
    /// About how many bytes of payload a batch holds in memory. A payload larger than its share is
    /// fetched when its message is delivered, one at a time.
    std::size_t batch_bytes_max = 8 * 1024 * 1024;
    /// How long a message without a receiver in this program is left to the relays of other
    /// programs, perhaps of another build, before it is parked; zero: not at all. The start of the
    /// wait is stored. Later messages of its key wait too; other keys do not.
    std::chrono::milliseconds unhandled_wait_max = std::chrono::minutes{5};
    /// If a relay dies, another one takes over its messages after this time.
    std::chrono::milliseconds lease{5'000};
    /// How long to pause after the transport returned `down`. By the store's clock.
    std::chrono::milliseconds down_pause{1'000};
    /// The most deliveries in one second of the store's clock; 0: no limit.
    std::size_t per_second_max = 0;
    /// Seeds the jitter: the same seed, outbox and clock give the same run. Empty: random jitter.
    std::optional<std::uint64_t> seed{};
};

/// Delivers the outbox: at least once, in order per key, with retries; messages that cannot be
/// delivered are parked. Several relays may run on one store, in one or many processes; each holds
/// leases with fencing tokens on its part of the outbox.
///
///     Relay relay{store, transport, {.name = "orders-relay"}};
///     relay.start();
///
/// **Order.** Messages that are ready at once are delivered in the order of the outbox, which is
/// commit order. Delayed messages and retries are delivered in the order of the instants that they
/// wait for. Between the two kinds the older instant (of publishing, or of the end of the wait)
/// goes first; when many wait, each kind gets half of a batch.
///
/// **Keys.** A key belongs to its topic. Messages of one topic and key are delivered one after
/// another: a message that is retried or parked blocks all other messages of its key until it is
/// delivered or discarded. Other keys continue. A delayed message blocks no other message before it
/// is due, and is then delivered after those that overtook it. Messages without a key block none.
///
/// **Programs.** A message for which the transport returns `unhandled` is left to the other relays
/// of the store: each checks whether its own transport takes it, and the first one that does
/// delivers it. Thus old and new builds of a program can run side by side, each with its own
/// receivers. If no relay takes the message within `unhandled_wait_max`, it is parked.
///
/// **Clocks.** If the clock is set back while a message waits for its next attempt or for other
/// programs, the wait starts again, so that it takes no longer than its full length from then on.
/// The same holds for leases.
///
/// **Crashes.** A message is removed only after its delivery was confirmed; removed earlier, it
/// would be lost in a crash. After a relay has died at work, its successor delivers the next two
/// batches one by one, and counts each attempt in the store before it makes it, so that a message
/// that kills its process is parked in the end.
///
/// An idle relay holds no lease and writes nothing.
class Relay {
public:
    /// `transport` must outlive the relay. Throws InvalidError for options that cannot work.
    Relay(EventStore store, Transport& transport, RelayOptions options = {});
    ~Relay();  ///< stops it

    /// Delivers the messages that are due now, on the caller's thread; returns how many it finished
    /// (delivered or parked). Messages published meanwhile may be left for the next call. For
    /// tests, simulations and programs with a loop of their own; costs one query when there is
    /// nothing to do. Throws errors of the store; deliveries that were not recorded by then are
    /// repeated. Must not be called between `start` and `stop`, nor by two threads at a time.
    std::size_t run_once();
    /// When `run_once` has something to do next: an instant not after now if a message is ready,
    /// else the nearest instant that a delayed or retried message, or the pause of the transport,
    /// waits for. Nothing if the outbox is empty or all its messages are blocked by parked ones. By
    /// the store's clock.
    std::optional<Timestamp> next_due() const;

    /// Runs on a background thread, woken by commits, until `stop`.
    void start();
    /// Finishes and records the current delivery, then releases the leases. Messages whose delivery
    /// has not started lose no attempt. No effect if it does not run.
    void stop();

    /// The error of transport or store that stops it at present, or empty.
    std::string last_error() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
