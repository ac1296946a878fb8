#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>

#include "applier.hpp"
#include "checkpoint_tables.hpp"
#include "daybook/eventstore/engine.hpp"
#include "log_source.hpp"

namespace daybook::detail {

/// When a projector commits.
struct TransactionLimits {
    std::size_t page_events_max = 1'000;
    /// After so many positions, unless the fold gathers rows in memory. 1: after each page.
    std::uint64_t commit_events = 1;
    /// After so much time at the latest, unless one page takes longer.
    std::chrono::milliseconds commit_interval{5'000};
    FoldLimits memory{};
};

/// Applies the log to one model, page by page, each event exactly once.
///
///     read a page       from the position of the checkpoint
///     compare the log   with the checkpoint: is the model made from it?
///     begin             unless a transaction is open, and load the checkpoint again
///     apply             the page; if an event fails, roll back
///     commit            rows and checkpoint, once one of the limits is reached
///
/// Rows and checkpoint are one transaction, and the checkpoint is loaded again at the start of
/// each, so that projectors of several processes may work on one model: the later one finds that
/// the checkpoint has moved, applies nothing and reads on from there.
///
/// Handlers run without a savepoint each. When one fails, the transaction is rolled back, the
/// events before the failing one are applied again and committed, and then the failing event is
/// tried alone and the error policy decides. The database must outlive the projector. Used by one
/// thread at a time.
class Projector {
public:
    static constexpr Position no_limit{std::numeric_limits<std::uint64_t>::max()};

    enum class PageResult {
        idle,      ///< the end of the log, or `upto`, is reached
        advanced,  ///< call again at once
        waiting,   ///< a failed event is tried again at `retry_at`
        halted,    ///< the next event fails, and the policy is to halt
    };

    /// `token`: of the lease of the rebuild whose build the model is; nothing for a model in
    /// service.
    Projector(const ProjectionDefinition& definition, const ErrorPolicy& errors,
              ReadModelDatabase& database, const Clock& clock, TransactionLimits limits,
              std::optional<std::uint64_t> token = {},
              CheckpointLocation location = CheckpointLocation::model_database);
    ~Projector() { rollback(); }
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    /// Applies the next page. On an error everything since the last commit is rolled back. Throws
    /// what the engine throws (to be tried again), CorruptError, OtherLogError if the model was
    /// not made from `log`, and UnavailableError if another process has taken over the rebuild.
    PageResult apply_page(LogSource& log, Position upto = no_limit);
    /// Commits the open transaction, if there is one. False if its rows could not be written: it
    /// was rolled back then, and the next pages are smaller until the failing event is found.
    bool commit();
    void rollback() noexcept;
    /// Drops everything cached, failures included, and loads the checkpoint.
    void reload();
    /// Throws OtherLogError unless the model was made from `log`.
    void require_same_log(LogSource& log) const { event_at(log, committed_.position); }

    /// Everything up to here is applied, though maybe not committed.
    Position position() const noexcept { return checkpoint_.position; }
    const Checkpoint& committed() const noexcept { return committed_; }
    /// How many events this projector has applied and committed.
    std::uint64_t applied() const noexcept { return applied_; }
    /// The event that fails at the moment; null if none does.
    const FailedEvent* failure() const noexcept { return failure_ ? &failure_->event : nullptr; }
    std::string failure_text() const;
    std::chrono::steady_clock::time_point retry_at() const noexcept;

private:
    struct Failure {
        FailedEvent event;
        std::chrono::steady_clock::time_point retry_at;
    };

    /// Opens a transaction unless one is open. False, and none is open, if another projector has
    /// moved the checkpoint: the page at hand starts in the wrong place.
    bool begin_transaction();
    Checkpoint load();
    /// The id of the event at `next`, read together with the id of the committed event, and
    /// OtherLogError if that one is not the checkpoint's. Call it after the page was read: a log
    /// that was replaced between the two would otherwise go unnoticed and its events be applied to
    /// a model of the old one.
    EventId event_at(LogSource& log, Position next) const;
    bool commit_is_due() const;
    void record_failure(FailedEvent event);
    /// The rows of a transaction could not be written, and nothing tells which event made the bad
    /// one: halves the next transaction until it holds a single event.
    void bisect_flush_failure(std::string error);
    /// Parks, skips or halts before the failed event.
    PageResult apply_error_policy(LogSource& log);
    CheckpointTables tables() const { return {database_.sql(), applier_.shape().name, location_}; }

    const ErrorPolicy errors_;
    ReadModelDatabase& database_;
    const Clock& clock_;
    const TransactionLimits limits_;
    const std::optional<std::uint64_t> token_;
    const CheckpointLocation location_;
    Applier applier_;
    const EventFilter filter_;
    EventPage page_;
    Checkpoint committed_;
    Checkpoint checkpoint_;  ///< of the open transaction; `committed_` if none is open
    std::uint64_t applied_ = 0;
    bool open_ = false;
    std::chrono::steady_clock::time_point opened_at_;
    std::optional<Failure> failure_;
    /// Commit up to here before anything else, so that the failing event after it is tried alone.
    Position isolate_after_ = no_limit;
};

}  // namespace daybook::detail
