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

/// The partitions of the outbox that one relay holds. Relays at work make themselves known by a
/// lease on a slot; each takes its fair share of the partitions, and gives back what is above it
/// when others come. All leases are taken, renewed and given back together, in one unit. Used by
/// one thread.
class PartitionLeases {
public:
    PartitionLeases(EventStore store, std::string owner, std::chrono::milliseconds duration);

    /// What is held, as far as can be known without asking the store.
    PartitionSet held() const noexcept;
    /// It is time for `refresh`: nothing is held, others have come or gone, or nobody has looked at
    /// them for a while.
    bool is_stale() const noexcept;
    /// Looks who else is at work, then takes, renews and gives back. Returns those of the taken
    /// partitions that nobody had given back: their relay has died, or was held up for long.
    PartitionSet refresh();
    /// When what is held has nothing to do but others do: true if it is worth a `refresh` because
    /// partitions are free that belong to the fair share.
    bool look_for_more();
    /// Before a delivery: true if the partition is held and will be for some time.
    bool keep(int partition);
    /// Within the unit that notes what was delivered: what nobody else has taken meanwhile. Sees by
    /// the way whether other relays have come or gone.
    PartitionSet held(Transaction& tx);

    /// Takes the lane of what was left to other programs, which is nobody's share: a relay holds it
    /// for one pass.
    enum class Lane { taken, deserted, busy };
    Lane take_lane();
    void give_back_lane();

    /// Whether a partition was taken and not given back, even if its lease has run out since.
    bool has_to_release() const noexcept;
    /// Gives everything back.
    void release();

private:
    using Steady = std::chrono::steady_clock;

    /// What `refresh` is going to do.
    struct Plan {
        std::optional<int> slot{};  ///< to be taken unless one is held; nothing if none is free
        std::vector<int> take;      ///< partitions
        std::vector<int> spare;     ///< partitions above the fair share
        bool has_share = false;     ///< with what is to be taken
        PartitionSet deserted = 0;
        std::vector<std::string> others{};  ///< who has a slot, run out or not, by name
    };
    /// By partition; the last one is the lane.
    using Held = std::array<std::optional<Lease>, partitions + 1>;
    Plan plan();
    PartitionSet carry_out(const Plan& plan);
    void remember_tokens();
    void renew();
    /// Renews what is in the copies; what is lost leaves them.
    void renew(Transaction& tx, std::optional<Lease>& slot, Held& held);

    EventStore store_;
    Leases leases_;
    std::string owner_;
    std::chrono::milliseconds duration_;

    std::optional<Lease> slot_{};
    Held leases_held_{};
    /// By partition, the last token of this very object: under it, nobody has died.
    std::array<std::uint64_t, partitions + 1> own_token_{};
    Steady::time_point renewed_{};
    Steady::time_point looked_{};
    bool has_share_ = false;
    std::vector<std::string> others_{};  ///< who had a slot at the last `plan`
    bool has_news_ = false;              ///< there is reason to look again at once
};

}  // namespace daybook::detail
