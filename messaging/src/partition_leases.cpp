#include "partition_leases.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "daybook/core/clock.hpp"

namespace daybook::detail {
namespace {

/// Relays beyond this many stand by until one of the others goes.
constexpr int slots = partitions;

std::string slot_name(int slot) { return "outbox-relay/" + std::to_string(slot); }

std::string partition_name(int partition) { return "outbox/" + std::to_string(partition); }

/// Every lease that was acquired and not given back.
class LeaseView {
public:
    LeaseView(const Leases& leases, std::string_view self) : self_(self), now_(leases.now()) {
        for (Lease& lease : leases.list()) {
            std::string name = lease.name;
            by_name_.emplace(std::move(name), std::move(lease));
        }
    }

    const Lease* find(const std::string& name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : &found->second;
    }
    /// Held by us, perhaps in a former life.
    bool is_own(const Lease* lease) const { return lease && lease->owner == self_; }
    bool is_free(const Lease* lease) const {
        return !lease || is_own(lease) || lease->until <= now_;
    }

private:
    std::string_view self_;
    Timestamp now_;
    std::map<std::string, Lease, std::less<>> by_name_;
};

}  // namespace

PartitionLeases::PartitionLeases(EventStore store, std::string owner,
                                 std::chrono::milliseconds duration)
    : store_(std::move(store)), leases_(store_), owner_(std::move(owner)), duration_(duration) {}

PartitionSet PartitionLeases::held() const noexcept {
    if (Steady::now() - renewed_ >= duration_) return 0;
    PartitionSet set = 0;
    for (std::size_t p = 0; p < leases_held_.size(); ++p) {
        if (leases_held_[p]) set |= 1U << p;
    }
    return set;
}

bool PartitionLeases::is_stale() const noexcept {
    return held() == 0 || Steady::now() - looked_ >= (has_share_ ? duration_ / 3 : duration_ / 20);
}

PartitionSet PartitionLeases::refresh() {
    const std::optional<Plan> plan = this->plan();
    if (!plan) return 0;
    has_share_ = plan->has_share;
    looked_ = Steady::now();
    // To look costs no unit.
    const bool has_news = !slot_ || !plan->take.empty() || !plan->spare.empty();
    if (!has_news && looked_ - renewed_ < duration_ / 3) return 0;
    return carry_out(*plan);
}

std::optional<PartitionLeases::Plan> PartitionLeases::plan() const {
    const LeaseView known(leases_, owner_);
    Plan plan;
    int relays = 1;
    std::optional<int> free_slot;
    for (int slot = slots - 1; slot >= 0; --slot) {
        const Lease* lease = known.find(slot_name(slot));
        if (!known.is_free(lease)) ++relays;
        if (known.is_free(lease)) free_slot = slot;
    }
    if (!free_slot) return std::nullopt;
    plan.slot = *free_slot;

    int share = (partitions + relays - 1) / relays;
    for (int p = 0; p < partitions; ++p) {
        const bool is_held = leases_held_[static_cast<std::size_t>(p)].has_value();
        if (is_held && share-- <= 0) plan.spare.push_back(p);
    }
    for (int p = 0; p < partitions && share > 0; ++p) {
        const auto index = static_cast<std::size_t>(p);
        const Lease* lease = known.find(partition_name(p));
        if (leases_held_[index] || !known.is_free(lease)) continue;
        --share;
        plan.take.push_back(p);
        if (lease && lease->token != own_token_[index]) plan.deserted |= 1U << p;
    }
    plan.has_share = share <= 0;
    return plan;
}

PartitionSet PartitionLeases::carry_out(const Plan& plan) {
    const auto now = Steady::now();
    // Changed in copies, as the unit may fail.
    auto slot = slot_;
    auto held = leases_held_;
    store_.transact([&](Transaction& tx) {
        for (const int p : plan.spare) {
            auto& lease = held[static_cast<std::size_t>(p)];
            leases_.release(tx, *lease);
            lease.reset();
        }
        for (auto& lease : held) {
            if (lease && !leases_.renew(tx, *lease, duration_)) lease.reset();
        }
        if (slot && !leases_.renew(tx, *slot, duration_)) slot.reset();
        if (!slot) slot = leases_.try_acquire(tx, slot_name(plan.slot), owner_, duration_);
        if (!slot) return;
        for (const int p : plan.take) {
            held[static_cast<std::size_t>(p)] =
                leases_.try_acquire(tx, partition_name(p), owner_, duration_);
        }
    });
    slot_ = std::move(slot);
    leases_held_ = std::move(held);
    renewed_ = now;
    for (std::size_t p = 0; p < leases_held_.size(); ++p) {
        if (leases_held_[p]) own_token_[p] = leases_held_[p]->token;
    }
    return plan.deserted & this->held();
}

bool PartitionLeases::keep(int partition) {
    if (Steady::now() - renewed_ >= duration_ / 2) renew();
    return contains(held(), partition);
}

void PartitionLeases::renew() {
    const auto now = Steady::now();
    auto slot = slot_;
    auto held = leases_held_;
    store_.transact([&](Transaction& tx) {
        for (auto& lease : held) {
            if (lease && !leases_.renew(tx, *lease, duration_)) lease.reset();
        }
        if (slot && !leases_.renew(tx, *slot, duration_)) slot.reset();
    });
    slot_ = std::move(slot);
    leases_held_ = std::move(held);
    renewed_ = now;
}

bool PartitionLeases::held(Transaction& tx, int partition) const {
    const auto& lease = leases_held_[static_cast<std::size_t>(partition)];
    return lease && leases_.held(tx, *lease);
}

void PartitionLeases::release() {
    const auto is_held = [](const auto& lease) { return lease.has_value(); };
    if (!slot_ && std::ranges::none_of(leases_held_, is_held)) return;
    const auto slot = std::exchange(slot_, std::nullopt);
    const auto held = std::exchange(leases_held_, {});
    store_.transact([&](Transaction& tx) {
        for (const auto& lease : held) {
            if (lease) leases_.release(tx, *lease);
        }
        if (slot) leases_.release(tx, *slot);
    });
}

}  // namespace daybook::detail
