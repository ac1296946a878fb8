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

/// The right to do a named piece of work until an instant, or longer if no other owner acquires it.
struct Lease {
    std::string name;
    std::string owner;
    /// Grows with each acquisition of the name: a lease with an older token is lost.
    std::uint64_t token = 0;
    Timestamp until;
    /// The time from the acquisition or renewal to `until`.
    std::chrono::microseconds duration{};
};

/// Leases keep several processes from doing the same work, and keep a dead process from blocking
/// it. The holder renews its lease in time; after it has run out, the next process that asks gets
/// it.
///
/// A holder may notice too late that its lease has run out, for example after a pause of the
/// process. So it calls `held` in the transaction that does the work, and does nothing if that is
/// false. Otherwise two holders would do the same work.
///
///     Leases leases{store};
///     if (auto lease = leases.try_acquire("feed-balances", "host-1:4711", 5s)) {
///         store.transact([&](Transaction& tx) {
///             if (leases.held(tx, *lease)) work(tx);
///         });
///         leases.release(*lease);
///     }
///
/// If the clock is set back, a lease still does not last much longer than its duration: the next
/// process that tries to acquire it starts its duration again, with the same owner and token.
///
/// Instants come from the clock that all processes of the store share, never from
/// StoreOptions::clock, which may be virtual. Thread-safe.
class Leases {
public:
    explicit Leases(EventStore store);
    /// With another clock, for tests. It must outlive this.
    Leases(EventStore store, const Clock& clock) : store_(std::move(store)), clock_(&clock) {}

    /// Returns a lease with a new token if `name` is free, has run out, or belongs to `owner`
    /// already; nothing if another owner holds it. Throws InvalidError if the name or the owner is
    /// empty, or the duration is not positive or is `forever`.
    std::optional<Lease> try_acquire(std::string_view name, std::string_view owner,
                                     std::chrono::milliseconds duration);
    /// Moves `until` to `duration` from now. False if the lease was released, or acquired again
    /// since. A lease that has run out can still be renewed if it was not acquired again.
    bool renew(Lease& lease, std::chrono::milliseconds duration);
    /// Frees the name at once. Does nothing if the lease is lost already.
    void release(const Lease& lease);

    /// The same in a transaction of the caller, to acquire or renew several leases at once. A lease
    /// is held once the transaction has committed.
    std::optional<Lease> try_acquire(Transaction& tx, std::string_view name, std::string_view owner,
                                     std::chrono::milliseconds duration);
    bool renew(Transaction& tx, Lease& lease, std::chrono::milliseconds duration);
    void release(Transaction& tx, const Lease& lease);

    /// The same for many leases with few statements. No name may appear twice.
    std::vector<Lease> try_acquire(Transaction& tx, std::span<const std::string> names,
                                   std::string_view owner, std::chrono::milliseconds duration);
    /// Returns the renewed ones.
    std::vector<Lease> renew(Transaction& tx, std::vector<Lease> leases,
                             std::chrono::milliseconds duration);
    void release(Transaction& tx, const std::vector<Lease>& leases);
    /// The leases of these names that were acquired and not released, in no order; some may have
    /// run out. They do not change until the transaction ends.
    std::vector<Lease> find(Transaction& tx, std::span<const std::string> names) const;

    /// True if the lease was not released or acquired again. It cannot be until the transaction
    /// ends.
    bool held(Transaction& tx, const Lease& lease) const;

    /// All leases that were acquired and not released, by name; some may have run out.
    std::vector<Lease> list() const;
    /// True if the clock was set back since the lease was acquired or renewed.
    bool is_overlong(const Lease& lease) const;
    /// Starts the duration of such leases again from now.
    void shorten();
    /// The clock that the instants of leases are compared with.
    Timestamp now() const { return clock_->now(); }

private:
    bool held_by_another(std::string_view name, std::string_view owner) const;

    EventStore store_;
    const Clock* clock_;
};

}  // namespace daybook
