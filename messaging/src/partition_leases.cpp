#include "partition_leases.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "daybook/core/clock.hpp"

namespace daybook::detail {
namespace {

/// More relays than these wait until another one stops.
constexpr int slots = partitions;

constexpr std::string_view slot_prefix = "outbox-relay/";

std::string slot_name(int slot) { return std::string(slot_prefix) + std::to_string(slot); }

std::string partition_name(int partition) {
    return partition == unhandled_partition ? "outbox/unhandled"
                                            : "outbox/" + std::to_string(partition);
}

/// The names of all leases that relays use.
const std::vector<std::string>& all_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> made;
        for (int slot = 0; slot < slots; ++slot) made.push_back(slot_name(slot));
        for (int p = 0; p <= unhandled_partition; ++p) made.push_back(partition_name(p));
        return made;
    }();
    return names;
}

/// The leases that are set.
std::vector<Lease> existing(const std::optional<Lease>& slot,
                            std::span<const std::optional<Lease>> held) {
    std::vector<Lease> leases;
    if (slot) leases.push_back(*slot);
    for (const auto& lease : held) {
        if (lease) leases.push_back(*lease);
    }
    return leases;
}

bool is_slot(const Lease& lease) { return lease.name.starts_with(slot_prefix); }

bool is_partition(const Lease& lease) {
    return !is_slot(lease) && lease.name != partition_name(unhandled_partition);
}

/// All leases in the store that were acquired and not released.
class LeaseView {
public:
    LeaseView(const Leases& leases, std::string_view self) : self_(self), now_(leases.now()) {
        for (Lease& lease : leases.list()) {
            has_overlong_ = has_overlong_ || leases.is_overlong(lease);
            std::string name = lease.name;
            by_name_.emplace(std::move(name), std::move(lease));
        }
    }

    bool has_overlong() const noexcept { return has_overlong_; }
    const Lease* find(const std::string& name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : &found->second;
    }
    /// Held by a relay of this name, perhaps in a previous run.
    bool is_own(const Lease* lease) const { return lease && lease->owner == self_; }
    bool is_free(const Lease* lease) const {
        return !lease || is_own(lease) || lease->until <= now_;
    }

private:
    std::string_view self_;
    Timestamp now_;
    bool has_overlong_ = false;
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
    return (held() & all_partitions) == 0 || refresh_due_ ||
           Steady::now() - refreshed_ >= (has_share_ ? duration_ / 3 : duration_ / 20);
}

PartitionSet PartitionLeases::refresh() {
    const Plan plan = this->plan();
    if (!plan.slot) return 0;
    has_share_ = plan.has_share;
    others_ = plan.others;
    refresh_due_ = false;
    refreshed_ = Steady::now();
    // Reading costs no transaction; without a change, renewing can wait.
    const bool has_changes = !slot_ || !plan.acquire.empty() || !plan.surplus.empty();
    if (!has_changes && refreshed_ - renewed_ < duration_ / 3) return 0;
    return carry_out(plan);
}

PartitionLeases::Plan PartitionLeases::plan() {
    const LeaseView known(leases_, owner_);
    if (known.has_overlong()) leases_.shorten();
    Plan plan;
    int relays = 1;
    for (int slot = slots - 1; slot >= 0; --slot) {
        const Lease* lease = known.find(slot_name(slot));
        if (!known.is_free(lease)) ++relays;
        if (known.is_free(lease)) plan.slot = slot;
        if (lease && !known.is_own(lease)) plan.others.push_back(lease->owner);
    }
    std::ranges::sort(plan.others);
    if (!plan.slot) return plan;

    int share = (partitions + relays - 1) / relays;
    for (int p = 0; p < partitions; ++p) {
        const bool is_held = leases_held_[static_cast<std::size_t>(p)].has_value();
        if (is_held && share-- <= 0) plan.surplus.push_back(p);
    }
    for (int p = 0; p < partitions && share > 0; ++p) {
        const auto index = static_cast<std::size_t>(p);
        const Lease* lease = known.find(partition_name(p));
        if (leases_held_[index] || !known.is_free(lease)) continue;
        --share;
        plan.acquire.push_back(p);
        if (lease && lease->token != own_token_[index]) plan.abandoned |= 1U << p;
    }
    plan.has_share = share <= 0;
    return plan;
}

PartitionSet PartitionLeases::carry_out(const Plan& plan) {
    const auto now = Steady::now();
    // Changes copies, because the transaction may fail.
    auto slot = slot_;
    auto held = leases_held_;
    store_.transact([&](Transaction& tx) {
        std::vector<Lease> surplus;
        for (const int p : plan.surplus) {
            surplus.push_back(*std::exchange(held[static_cast<std::size_t>(p)], std::nullopt));
        }
        leases_.release(tx, surplus);
        renew(tx, slot, held);
        if (!slot) slot = leases_.try_acquire(tx, slot_name(*plan.slot), owner_, duration_);
        if (!slot) return;
        std::vector<std::string> names;
        for (const int p : plan.acquire) names.push_back(partition_name(p));
        for (Lease& lease : leases_.try_acquire(tx, names, owner_, duration_)) {
            const auto at = std::ranges::find(names, lease.name) - names.begin();
            const int p = plan.acquire[static_cast<std::size_t>(at)];
            held[static_cast<std::size_t>(p)] = std::move(lease);
        }
    });
    slot_ = std::move(slot);
    leases_held_ = std::move(held);
    renewed_ = now;
    remember_tokens();
    // Two relays that refresh at the same time plan to acquire the same partitions.
    const bool has_all = std::ranges::all_of(
        plan.acquire, [&](int p) { return leases_held_[static_cast<std::size_t>(p)].has_value(); });
    has_share_ = plan.has_share && has_all;
    refresh_due_ = !has_all;
    return plan.abandoned & this->held();
}

bool PartitionLeases::check_for_free_partitions() {
    if (has_share_) return false;
    const Plan plan = this->plan();
    refresh_due_ = plan.slot && !plan.acquire.empty();
    return refresh_due_;
}

PartitionLeases::UnhandledLease PartitionLeases::acquire_unhandled() {
    constexpr auto index = static_cast<std::size_t>(unhandled_partition);
    const std::vector<std::string> name{partition_name(unhandled_partition)};
    const LeaseView known(leases_, owner_);
    if (known.has_overlong()) leases_.shorten();
    if (!known.is_free(known.find(name.front()))) return UnhandledLease::busy;
    const auto now = Steady::now();
    auto slot = slot_;
    auto held = leases_held_;
    bool abandoned = false;
    store_.transact([&](Transaction& tx) {
        renew(tx, slot, held);
        if (held[index]) return;
        const std::vector<Lease> before = leases_.find(tx, name);
        held[index] = leases_.try_acquire(tx, name.front(), owner_, duration_);
        abandoned = !before.empty() && before.front().token != own_token_[index];
    });
    slot_ = std::move(slot);
    leases_held_ = std::move(held);
    renewed_ = now;
    remember_tokens();
    if (!leases_held_[index]) return UnhandledLease::busy;
    return abandoned ? UnhandledLease::abandoned : UnhandledLease::acquired;
}

void PartitionLeases::release_unhandled() {
    auto& lease = leases_held_[static_cast<std::size_t>(unhandled_partition)];
    if (!lease) return;
    store_.transact([&](Transaction& tx) { leases_.release(tx, *lease); });
    lease.reset();
}

void PartitionLeases::remember_tokens() {
    for (std::size_t p = 0; p < leases_held_.size(); ++p) {
        if (leases_held_[p]) own_token_[p] = leases_held_[p]->token;
    }
}

bool PartitionLeases::ensure_held(int partition) {
    if (Steady::now() - renewed_ >= duration_ / 2) renew();
    return contains(held(), partition);
}

void PartitionLeases::renew() {
    const auto now = Steady::now();
    auto slot = slot_;
    auto held = leases_held_;
    store_.transact([&](Transaction& tx) { renew(tx, slot, held); });
    slot_ = std::move(slot);
    leases_held_ = std::move(held);
    renewed_ = now;
}

void PartitionLeases::renew(Transaction& tx, std::optional<Lease>& slot, Held& held) {
    const std::vector<Lease> renewed = leases_.renew(tx, existing(slot, held), duration_);
    const auto update = [&](std::optional<Lease>& lease) {
        if (!lease) return;
        const auto found = std::ranges::find(renewed, lease->name, &Lease::name);
        lease = found == renewed.end() ? std::nullopt : std::optional{*found};
    };
    update(slot);
    std::ranges::for_each(held, update);
}

PartitionSet PartitionLeases::held(Transaction& tx) {
    const std::vector<Lease> found = leases_.find(tx, all_names());
    PartitionSet set = 0;
    for (std::size_t p = 0; p < leases_held_.size(); ++p) {
        const auto& own = leases_held_[p];
        const bool is_held = own && std::ranges::any_of(found, [&](const Lease& lease) {
                                 return lease.name == own->name && lease.owner == own->owner &&
                                        lease.token == own->token;
                             });
        if (is_held) set |= 1U << p;
    }
    std::vector<std::string> others;
    for (const Lease& lease : found) {
        if (is_slot(lease) && lease.owner != owner_) others.push_back(lease.owner);
    }
    std::ranges::sort(others);
    const auto taken = std::ranges::count_if(found, is_partition);
    refresh_due_ = others != others_ || (!has_share_ && taken < partitions);
    return set;
}

bool PartitionLeases::has_to_release() const noexcept {
    const auto is_there = [](const std::optional<Lease>& lease) { return lease.has_value(); };
    return std::ranges::any_of(leases_held_, is_there);
}

void PartitionLeases::release() {
    const std::vector<Lease> held = existing(slot_, leases_held_);
    if (held.empty()) return;
    slot_.reset();
    leases_held_ = {};
    store_.transact([&](Transaction& tx) { leases_.release(tx, held); });
}

}  // namespace daybook::detail
