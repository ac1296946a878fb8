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

/// Why a relay pauses, and until when by the store's clock.
struct Pause {
    Timestamp until{};
    std::string error{};  ///< of the transport; empty if the speed limit was reached
};

/// The work of a relay without its thread: loads batches, delivers them outside any transaction,
/// and records their outcomes in one transaction per batch. Used by one thread.
class RelayPass {
public:
    /// `options` is complete and valid; it and `transport` must outlive this.
    RelayPass(EventStore store, Transport& transport, const RelayOptions& options);

    /// Delivers all messages that are due now; returns how many it delivered or parked.
    std::size_t run(std::stop_token stop);
    /// Set if the last `run` ended early, because the transport was down or the speed limit
    /// reached.
    const std::optional<Pause>& pause() const noexcept { return pause_; }
    bool has_to_release() const noexcept { return leases_.has_to_release(); }
    void release() { leases_.release(); }

private:
    /// The outcome of a message in this batch. `left`: to other programs.
    enum class Result { untouched, delivered, failed, parked, blocked, left };
    struct Outcome {
        const OutboxRow* row;
        Result result = Result::untouched;
        ParkReason reason = ParkReason::rejected;
        std::string error{};
        std::string receiver{};
    };
    struct RecordCounts {
        std::size_t finished = 0;  ///< delivered or parked
        std::size_t changed = 0;   ///< rows that were removed or set to wait
    };

    bool is_paused(Timestamp now);
    OutboxSummary check_outbox(Timestamp now);
    std::size_t run_own(const OutboxSummary& outbox, Timestamp now, std::stop_token stop);
    bool refresh_leases();
    bool is_within_speed_limit();

    std::size_t run_unhandled(Timestamp now, std::stop_token stop);
    /// The number of finished messages; nothing if another relay holds the lease, or if the pass
    /// has to end.
    std::optional<std::size_t> deliver_unhandled(std::vector<OutboxRow> rows, std::stop_token stop);
    bool takes(const OutboxRow& row) const;

    std::vector<Outcome> deliver_all(const std::vector<OutboxRow>& rows, std::stop_token stop);
    Outcome deliver(const OutboxRow& row);
    Outcome outcome_of(const OutboxRow& row, Delivery delivery);
    Outcome leave_or_park(Outcome outcome);
    Outcome deliver_counted(const OutboxRow& row);

    RecordCounts record_all(const std::vector<Outcome>& outcomes);
    /// Delivered at the first attempt, so that no message of its key is blocked by it. Such rows
    /// are removed by one statement.
    static bool is_removed_in_bulk(const Outcome& outcome);
    bool record(Transaction& tx, const Outcome& outcome);
    Timestamp next_attempt(const OutboxRow& row, Timestamp now) const;
    void log_parked(const Outcome& outcome) const;
    void log_left(const Outcome& outcome);

    EventStore store_;
    Transport& transport_;
    const RelayOptions& options_;
    PartitionLeases leases_;

    std::optional<Pause> pause_;
    /// How many of the next deliveries are made one by one, each counted in the store before. Set
    /// after a relay has died at work: one of the next messages may be the cause, and without the
    /// count it would kill each successor.
    std::size_t one_by_one_left_ = 0;
    std::chrono::sys_seconds second_{};  ///< in which `deliveries_` were made
    std::size_t deliveries_ = 0;

    /// How far `Transport::takes` was called for the messages left to other programs, and when it
    /// is called for all of them again: a consumer may have been added, or the clock set back.
    UnhandledCursor unhandled_cursor_{};
    std::chrono::steady_clock::time_point restart_unhandled_at_{};
    /// Messages for which the transport returned `unhandled` although `takes` returned true.
    /// Cleared from time to time, so that they are tried again.
    std::set<EventId> declined_{};
    std::chrono::steady_clock::time_point clear_declined_at_{};
    std::set<std::string> logged_kinds_{};  ///< topic, type and version: each is logged once
};

}  // namespace daybook::detail
