#include "rebuild_lease.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/clock.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/worker_name.hpp"
#include "statements.hpp"

namespace daybook::detail {

using std::chrono::milliseconds;

RebuildLease::RebuildLease(EventStore store, const std::string& projection, milliseconds duration,
                           OnRenewal on_renewal)
    : store_(std::move(store)),
      leases_(store_),
      projection_(projection),
      name_(std::string(statements::rebuild_lease_prefix) + projection),
      owner_(worker_name()),
      duration_(duration),
      renewal_interval_(std::max(duration / 3, milliseconds{1})),
      on_renewal_(std::move(on_renewal)),
      renewal_(store_, {.name = "the lease '" + name_ + "'", .retry = every(renewal_interval_)}) {}

bool RebuildLease::try_acquire(Transaction& tx) {
    lease_ = leases_.try_acquire(tx, name_, owner_, duration_);
    return lease_.has_value();
}

void RebuildLease::start_renewing() {
    renewal_.start([this](const std::stop_token&) { return renew(); });
}

NextStep RebuildLease::renew() {
    if (std::exchange(is_first_step_, false)) return NextStep::after(renewal_interval_);
    bool renewed = false;
    store_.transact([&](Transaction& tx) {
        Lease lease = *lease_;
        renewed = leases_.renew(tx, lease, duration_);
        if (renewed) on_renewal_(tx);
    });
    if (renewed) return NextStep::after(renewal_interval_);
    lost_ = true;
    return NextStep::after(forever);
}

void RebuildLease::require_held(Transaction& tx) const {
    if (!held(tx)) throw_taken_over();
}

void RebuildLease::require_not_lost() const {
    if (lost_) throw_taken_over();
}

std::optional<Lease> RebuildLease::find() const {
    const std::vector<Lease> leases = leases_.list();
    const auto found = std::ranges::find(leases, name_, &Lease::name);
    return found == leases.end() ? std::nullopt : std::optional{*found};
}

bool RebuildLease::has_run_out(const Lease& lease) const {
    return lease.until <= leases_.now() || leases_.is_overlong(lease);
}

void RebuildLease::throw_taken_over() const {
    throw UnavailableError("the rebuild of projection '" + projection_ +
                           "' was taken over by somebody else: leave it to them");
}

}  // namespace daybook::detail
