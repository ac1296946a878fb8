#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/lease.hpp"
#include "outbox_batch.hpp"

namespace daybook::detail {

/// The partitions of the outbox that one relay holds leases on. Each active relay also holds a
/// lease on a slot, by which the relays count each other; each acquires its fair share of the
/// partitions, and releases the surplus when the number grows. All leases are acquired, renewed and
/// released together, in one transaction. Used by one thread.
class PartitionLeases {
public:
    PartitionLeases(EventStore store, std::string owner, std::chrono::milliseconds duration);

    /// The partitions whose leases have not expired by the local clock; does not read the store.
    PartitionSet held() const noexcept;
    /// True if it is time for `refresh`: no partition is held, other relays have come or gone, or
    /// the last refresh is too long ago.
    bool is_stale() const noexcept;
    /// Reads the leases of all relays, then acquires, renews and releases. Returns those of the
    /// acquired partitions that were not released before: their relay has died or was stalled, and
    /// a message in its last batch may be the reason.
    PartitionSet refresh();
    /// For a relay whose own partitions have nothing to deliver: true if partitions of its fair
    /// share are free; `refresh` then acquires them.
    bool check_for_free_partitions();
    /// Call it before each delivery. Renews the leases if half of their time is over; false if the
    /// partition is not held. Without this, a lease could expire in the middle of a batch, and two
    /// relays would deliver the same messages at the same time.
    bool ensure_held(int partition);
    /// The held partitions according to the store. Call it in the transaction that records what was
    /// delivered, and record nothing for other partitions: another relay holds those now, and has
    /// perhaps recorded another outcome. Also notices other relays that have come or gone.
    PartitionSet held(Transaction& tx);

    /// Acquires the lease on the messages that were left to other programs. It belongs to no
    /// relay's share; a relay holds it for one pass. `abandoned`: acquired, and its last holder has
    /// died.
    enum class UnhandledLease { acquired, abandoned, busy };
    UnhandledLease acquire_unhandled();
    void release_unhandled();

    /// Whether a lease was acquired and not released, even if it has expired since.
    bool has_to_release() const noexcept;
    /// Releases all leases.
    void release();

private:
    using Steady = std::chrono::steady_clock;

    /// The changes that `refresh` makes.
    struct Plan {
        std::optional<int> slot{};  ///< to acquire unless one is held; nothing if none is free
        std::vector<int> acquire;   ///< partitions to acquire
        std::vector<int> surplus;   ///< partitions to release
        bool has_share = false;     ///< after these changes
        PartitionSet abandoned = 0;
        std::vector<std::string> others{};  ///< owners of slots, expired or not, sorted
    };
    /// By partition; the last one is `unhandled_partition`.
    using Held = std::array<std::optional<Lease>, partitions + 1>;
    Plan plan();
    PartitionSet carry_out(const Plan& plan);
    void remember_tokens();
    void renew();
    /// Renews the leases given; resets those that were lost.
    void renew(Transaction& tx, std::optional<Lease>& slot, Held& held);

    EventStore store_;
    Leases leases_;
    std::string owner_;
    std::chrono::milliseconds duration_;

    std::optional<Lease> slot_{};
    Held leases_held_{};
    /// By partition, the last token that this object has held. A lease with this token was not
    /// abandoned by another relay.
    std::array<std::uint64_t, partitions + 1> own_token_{};
    Steady::time_point renewed_{};
    Steady::time_point refreshed_{};
    bool has_share_ = false;
    std::vector<std::string> others_{};  ///< `Plan::others` of the last refresh
    bool refresh_due_ = false;           ///< refresh at the next opportunity
};

}  // namespace daybook::detail
