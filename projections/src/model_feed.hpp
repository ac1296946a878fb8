#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>

#include "applier.hpp"
#include "daybook/eventstore/engine.hpp"
#include "ledger.hpp"
#include "log_place.hpp"

namespace daybook::detail {

/// When a feed ends a transaction.
struct FeedLimits {
    std::size_t page_events_max = 1'000;
    /// After so many positions, unless the fold gathers rows in memory. 1: after each page.
    std::uint64_t commit_events = 1;
    /// After so long at the latest, unless a page alone takes longer.
    std::chrono::milliseconds commit_interval{5'000};
    FoldLimits memory{};
};

/// Brings one model forward through the log, each event exactly once: rows and checkpoint are one
/// transaction, and the checkpoint is read again inside it, so that several feeds of one model take
/// turns without harm.
///
/// Handlers run without a savepoint each. When one fails, the whole transaction is rolled back, the
/// events before it are brought in again and committed, and then it stands alone and the policy
/// decides. The database must outlive the feed. Used by one thread at a time.
class ModelFeed {
public:
    static constexpr Position no_bound{std::numeric_limits<std::uint64_t>::max()};

    enum class Step {
        idle,      ///< nothing more is there, or `upto` is reached
        advanced,  ///< try again at once
        waiting,   ///< until `retry_at`, for the next attempt of a failed event
        halted,    ///< in front of a failed event
    };

    /// `epoch`: the claim that a build belongs to; a live model has none. `home`: where the model
    /// has its book.
    ModelFeed(const ProjectionDefinition& definition, const ErrorPolicy& errors,
              ReadModelDatabase& database, const Clock& clock, FeedLimits limits,
              std::optional<std::int64_t> epoch = {}, Home home = Home::model);
    ~ModelFeed() { rollback(); }
    ModelFeed(const ModelFeed&) = delete;
    ModelFeed& operator=(const ModelFeed&) = delete;

    /// Applies the next page. Throws errors of the environment (rolled back, to be tried again),
    /// CorruptError, OtherLogError if the model does not fit to `log`, and UnavailableError if the
    /// build was taken over.
    Step step(LogSource& log, Position upto = no_bound);
    /// Ends the open transaction, if there is one. False if its rows could not be written: it was
    /// rolled back, and the next steps find out which event is to blame.
    bool commit();
    void rollback() noexcept;
    /// Forgets what it knew, failures included, and looks at the database again.
    void reload();
    /// Throws OtherLogError unless the model was made of `log`.
    void require_fit(LogSource& log) const { event_at(log, committed_.position); }

    /// Everything up to here is applied, though maybe not committed.
    Position position() const noexcept { return book_.position; }
    const Checkpoint& committed() const noexcept { return committed_; }
    /// Events that this feed itself has applied and committed.
    std::uint64_t applied() const noexcept { return applied_; }
    /// The event that fails at the moment; nothing if none does.
    const FailedEvent* failure() const noexcept { return failure_ ? &failure_->event : nullptr; }
    std::string failure_text() const;
    std::chrono::steady_clock::time_point retry_at() const noexcept;

private:
    struct Failure {
        FailedEvent event;
        std::chrono::steady_clock::time_point retry_at;
    };

    /// False if another feed was here: look again.
    bool begin();
    /// False if `begin` is.
    bool apply_page(LogSource& log, Position upto);
    /// Looks up the event at `next`, and whether the model still is what was made of this log. It
    /// is asked after a page was read: whatever was put in the log's place before is noticed.
    EventId event_at(LogSource& log, Position next) const;
    bool commit_is_due() const;
    void note(FailedEvent event);
    void flush_failed(std::string error);
    /// Parks, skips or halts.
    Step settle(LogSource& log);
    Checkpoint load();
    Ledger ledger() const { return {database_.sql(), applier_.shape().name, home_}; }

    const ErrorPolicy errors_;
    ReadModelDatabase& database_;
    const Clock& clock_;
    const FeedLimits limits_;
    const std::optional<std::int64_t> epoch_;
    const Home home_;
    Applier applier_;
    const EventFilter filter_;
    EventPage page_;
    Checkpoint committed_;
    Checkpoint book_;  ///< in the open transaction; else as committed
    std::uint64_t applied_ = 0;
    bool open_ = false;
    std::chrono::steady_clock::time_point opened_at_;
    std::optional<Failure> failure_;
    Position bound_ = no_bound;  ///< stop here first: what comes next has failed
};

}  // namespace daybook::detail
