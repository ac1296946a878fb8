#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/worker.hpp"

namespace daybook::detail {

/// The lease `rebuild:<projection>`. Only its holder may write the rebuild's row of the registry
/// and the build, and its token is the fence of both: the registry is written in transactions that
/// call `require_held`, and the build's checkpoint keeps the token.
///
/// A step of a rebuild, such as the creation of an index, may take longer than the lease lasts.
/// Therefore a thread of its own renews it.
class RebuildLease {
public:
    /// What else to write in the transaction that renews.
    using OnRenewal = std::function<void(Transaction&)>;

    RebuildLease(EventStore store, const std::string& projection,
                 std::chrono::milliseconds duration, OnRenewal on_renewal);

    const std::string& owner() const noexcept { return owner_; }
    /// REQUIRES: it was acquired.
    std::uint64_t token() const noexcept { return lease_->token; }

    /// False if another owner holds it. Throws InvalidError for a duration that no lease may have.
    bool try_acquire(Transaction& tx);
    /// Begins to renew it, once the transaction that has acquired it is committed.
    void start_renewing();
    void stop_renewing() noexcept { renewal_.stop(); }
    void release(Transaction& tx) { leases_.release(tx, *lease_); }

    /// False if another owner has acquired it since, and nobody can until the transaction ends.
    bool held(Transaction& tx) const { return leases_.held(tx, *lease_); }
    /// Throws UnavailableError if not `held`.
    void require_held(Transaction& tx) const;
    /// Throws UnavailableError if the last renewal has failed because another owner has it.
    void require_not_lost() const;

    /// Who holds it, in this process or another; nothing if it was released.
    std::optional<Lease> find() const;
    /// Whether the next `try_acquire` may succeed.
    bool has_run_out(const Lease& lease) const;

private:
    NextStep renew();
    [[noreturn]] void throw_taken_over() const;

    EventStore store_;
    Leases leases_;
    const std::string projection_;
    const std::string name_;
    const std::string owner_;
    const std::chrono::milliseconds duration_;
    const std::chrono::milliseconds renewal_interval_;
    const OnRenewal on_renewal_;
    std::optional<Lease> lease_{};  ///< constant while it is renewed
    std::atomic<bool> lost_{false};
    bool is_first_step_ = true;  ///< of `renewal_`, and of its thread alone
    Worker renewal_;
};

}  // namespace daybook::detail
