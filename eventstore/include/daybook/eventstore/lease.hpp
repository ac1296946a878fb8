#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// The right to do a named piece of work, until an instant, or longer if nobody else wants it.
struct Lease {
    std::string name;
    std::string owner;
    /// Grows with each acquisition of the name: who has an older one has lost it.
    std::uint64_t token = 0;
    Timestamp until;
    /// `until` was set so far ahead of the time that it was then.
    std::chrono::microseconds duration{};
};

/// Leases keep several processes from doing the same work, and a dead one from keeping it: who
/// holds a lease renews it in good time, and whoever asks after it ran out is the next holder.
///
/// No clock can promise that a holder notices in time that it is too late. Therefore it asks `held`
/// within the unit that acts: a late holder's unit then does nothing.
///
///     Leases leases{store};
///     if (auto lease = leases.try_acquire("feed-balances", "host-1:4711", 5s)) {
///         store.transact([&](Transaction& tx) {
///             if (leases.held(tx, *lease)) work(tx);
///         });
///         leases.release(*lease);
///     }
///
/// No lease outlasts its duration by much when the clock is set back: whoever asks for it then lets
/// it begin again, with the same owner and token.
///
/// Instants are those that all who share the store agree on, never of StoreOptions::clock, which
/// may be virtual. Thread-safe.
class Leases {
public:
    explicit Leases(EventStore store);
    /// Another clock is for tests; it must outlive this.
    Leases(EventStore store, const Clock& clock) : store_(std::move(store)), clock_(&clock) {}

    /// A lease, under a new token, if `name` is free, has run out, or is `owner`'s already; nothing
    /// if another owner holds it. Throws InvalidError if the name or the owner is empty or the
    /// duration not positive or `forever`.
    std::optional<Lease> try_acquire(std::string_view name, std::string_view owner,
                                     std::chrono::milliseconds duration);
    /// Moves `until` to `duration` from now. False if it was released or somebody has acquired it
    /// since; also true if it has run out and nobody came.
    bool renew(Lease& lease, std::chrono::milliseconds duration);
    /// Frees the name for the next one at once. Nothing happens if it is lost already.
    void release(const Lease& lease);

    /// The same as part of a unit, for those who take or renew several at once. What was acquired
    /// is held when the unit has committed.
    std::optional<Lease> try_acquire(Transaction& tx, std::string_view name, std::string_view owner,
                                     std::chrono::milliseconds duration);
    bool renew(Transaction& tx, Lease& lease, std::chrono::milliseconds duration);
    void release(Transaction& tx, const Lease& lease);

    /// The same for many in a few statements, however many they are. Names are given once.
    std::vector<Lease> try_acquire(Transaction& tx, std::span<const std::string> names,
                                   std::string_view owner, std::chrono::milliseconds duration);
    /// Returns those that were renewed.
    std::vector<Lease> renew(Transaction& tx, std::vector<Lease> leases,
                             std::chrono::milliseconds duration);
    void release(Transaction& tx, const std::vector<Lease>& leases);
    /// Those of the names that were acquired and not released, in no order; some may have run out.
    /// They stay as they are until the unit ends.
    std::vector<Lease> find(Transaction& tx, std::span<const std::string> names) const;

    /// True if nobody has acquired it since, and nobody can until the unit ends.
    bool held(Transaction& tx, const Lease& lease) const;

    /// All that were acquired and not released, by name; some may have run out.
    std::vector<Lease> list() const;
    /// The clock was set back since it was acquired or renewed.
    bool is_overlong(const Lease& lease) const;
    /// Lets such leases last for their duration from now on.
    void shorten();
    /// What the instants of leases are compared with.
    Timestamp now() const { return clock_->now(); }

private:
    bool held_by_another(std::string_view name, std::string_view owner) const;

    EventStore store_;
    const Clock* clock_;
};

}  // namespace daybook
