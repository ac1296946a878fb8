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

struct RelayOptions {
    /// Who this is, in leases and logs; empty: host, process and a random part. A program that is
    /// started again under the same name takes its work up at once, without waiting for the lease
    /// of its former life; two that run at the same time need two names.
    std::string name{};
    /// After the last attempt the message parks, and with it its key.
    Backoff retry = exponential{std::chrono::milliseconds{200}, 2.0, std::chrono::seconds{30}}
                        .full_jitter()
                        .attempts(8);
    std::size_t batch_max = 100;
    /// About how many bytes of payload a batch holds in memory. What is larger than its share is
    /// fetched when it is delivered, one at a time.
    std::size_t batch_bytes_max = 8 * 1024 * 1024;
    /// How long a message that this program has no receiver for is left to the relays of other
    /// programs, of another build perhaps, before it parks; zero: not at all. The wait is kept in
    /// the store. It holds the message's key and nobody else.
    std::chrono::milliseconds unhandled_wait_max = std::chrono::minutes{5};
    /// A relay that dies is replaced after this time.
    std::chrono::milliseconds lease{5'000};
    /// How long to rest when the transport says that it is down. By the store's clock.
    std::chrono::milliseconds down_pause{1'000};
    /// The most deliveries in one second of the store's clock; 0: no limit.
    std::size_t per_second_max = 0;
    /// Draws the jitter: the same seed, outbox and clock give the same run. Nothing: at random.
    std::optional<std::uint64_t> seed{};
};

/// Delivers the outbox: at least once, in order per key, retrying, parking what cannot be
/// delivered. Several relays may run on one store, in one or many processes; leases with fencing
/// tokens keep them apart.
///
///     Relay relay{store, transport, {.name = "orders-relay"}};
///     relay.start();
///
/// **Order.** A message that is ready at once has its turn by its place in the outbox, which is
/// commit order. A delayed one, or one to be tried again, has its turn by the instant it waits
/// for. Between the two kinds the older instant (of publishing, of waiting) goes first; when many
/// wait, each kind gets half of a batch.
///
/// **Keys.** A key belongs to its topic. Messages of one topic and key go one after another: one
/// that is to be tried again, or parked, holds all others of its key until it is delivered,
/// replayed or discarded. Other keys go on. A delayed message gives up its place: it holds nobody
/// before it is due. Messages without a key hold nobody.
///
/// **Programs.** A message that the transport is `unhandled` about is left to the other relays of
/// the store: each looks whether its own transport takes it, and the first that does delivers it.
/// Old and new builds of a program may so run beside each other, each with the receivers it has.
/// If none takes it for `unhandled_wait_max`, it parks.
///
/// **Clocks.** A wait for the next attempt, or for other programs, is no longer than it was meant
/// to be when the clock is set back meanwhile: it begins again then. A lease likewise.
///
/// **Crashes.** A message is removed only after its delivery was confirmed. When a relay has died
/// at work, its successor delivers the next two batches one by one, and counts each attempt on disk
/// before it makes it: a message that kills its process parks in the end.
///
/// A relay that has nothing to do holds no lease and writes nothing.
class Relay {
public:
    /// `transport` must outlive the relay. Throws InvalidError for options that cannot work.
    Relay(EventStore store, Transport& transport, RelayOptions options = {});
    ~Relay();  ///< stops it

    /// Delivers what is due now on the caller's thread; returns how many messages it brought to an
    /// end (delivered or parked). Messages published meanwhile may be left for the next call. For
    /// tests, simulations and programs with a loop of their own; costs one query when there is
    /// nothing to do. Throws what the store throws; deliveries that were not noted by then are
    /// repeated. Not to be called between `start` and `stop`, nor by two threads.
    std::size_t run_once();
    /// When there will be something to do: an instant not after now if there is already, the
    /// nearest one that a delayed or retried message (or the transport's pause) waits for, or
    /// nothing if the outbox is empty or all of it waits behind parked messages. By the store's
    /// clock.
    std::optional<Timestamp> next_due() const;

    /// Runs on a thread of its own, woken by commits, until `stop`.
    void start();
    /// Ends the delivery in hand, notes it, gives the leases back. Nothing is counted against
    /// messages that had not begun. Does nothing if it does not run.
    void stop();

    /// Why it does not get on (transport or store), or empty.
    std::string last_error() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
