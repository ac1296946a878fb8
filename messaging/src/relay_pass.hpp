#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "daybook/messaging/dead_letters.hpp"
#include "daybook/messaging/relay.hpp"
#include "outbox_batch.hpp"
#include "partition_leases.hpp"

namespace daybook::detail {

/// Why a relay rests, and until when by the store's clock.
struct Rest {
    Timestamp until{};
    std::string error{};  ///< of the transport; empty if it is only the limit on speed
};

/// The work of a relay without its thread: loads batches, delivers them outside any transaction,
/// and notes in one unit what became of them. Used by one thread.
class RelayPass {
public:
    /// `options` is complete and valid; it and `transport` must outlive this.
    RelayPass(EventStore store, Transport& transport, const RelayOptions& options);

    /// Everything that is due now; returns how many messages came to an end.
    std::size_t run(std::stop_token stop);
    /// Set by a `run` that ended early because the transport was down or the speed limit reached.
    const std::optional<Rest>& rest() const noexcept { return rest_; }
    bool has_to_release() const noexcept { return leases_.has_to_release(); }
    void release() { leases_.release(); }

private:
    /// What became of a message in this batch.
    enum class Result { untouched, delivered, failed, parked, blocked, left };
    struct Outcome {
        const OutboxRow* row;
        Result result = Result::untouched;
        ParkReason reason = ParkReason::rejected;
        std::string error{};
        std::string receiver{};
    };
    struct Settled {
        std::size_t ended = 0;  ///< delivered or parked
        std::size_t noted = 0;  ///< these, and all others that will not be ready at once again
    };

    bool is_resting(Timestamp now);
    OutboxLook look(Timestamp now);
    std::size_t run_own(const OutboxLook& look, Timestamp now, std::stop_token stop);
    bool take_leases();
    bool is_within_speed_limit();

    std::size_t run_unhandled(Timestamp now, std::stop_token stop);
    /// Nothing: another relay is at it, or something has ended the pass.
    std::optional<std::size_t> deliver_unhandled(std::vector<OutboxRow> rows, std::stop_token stop);
    bool takes(const OutboxRow& row) const;

    std::vector<Outcome> deliver_all(const std::vector<OutboxRow>& rows, std::stop_token stop);
    Outcome deliver(const OutboxRow& row);
    Outcome outcome_of(const OutboxRow& row, Delivery delivery);
    Outcome leave_or_park(Outcome outcome);
    Outcome deliver_counted(const OutboxRow& row);

    Settled settle(const std::vector<Outcome>& outcomes);
    /// Delivered, and nobody waits behind it: removed together with others like it.
    static bool is_plain(const Outcome& outcome);
    bool note(Transaction& tx, const Outcome& outcome);
    Timestamp next_attempt(const OutboxRow& row, Timestamp now) const;
    void log_parked(const Outcome& outcome) const;
    void log_left(const Outcome& outcome);

    EventStore store_;
    Transport& transport_;
    const RelayOptions& options_;
    PartitionLeases leases_;

    std::optional<Rest> rest_;
    /// Deliveries that are still to be made one by one and counted on disk before, because a relay
    /// has died at work and one of the next messages may be why.
    std::size_t careful_ = 0;
    std::chrono::sys_seconds second_{};  ///< the one in which `deliveries_` were made
    std::size_t deliveries_ = 0;

    /// How far the transport was asked about what was left to other programs, and when all of it is
    /// asked about again: a consumer may have come, or the clock have been set back.
    UnhandledPlace asked_about_{};
    std::chrono::steady_clock::time_point ask_again_{};
    /// What the transport has declined although it says that it takes its like; asked about again
    /// now and then.
    std::set<EventId> declined_{};
    std::chrono::steady_clock::time_point forget_declined_{};
    std::set<std::string> left_kinds_{};  ///< topic, type and version: each is logged once
};

}  // namespace daybook::detail
