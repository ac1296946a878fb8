#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "model_feed.hpp"
#include "rate_meter.hpp"
#include "registry.hpp"

namespace daybook::detail {

/// One projection of a runner: what to do next with it, and what is known of it. What goes wrong
/// stays inside and can be read. Thread-safe.
class Entry {
public:
    struct Outcome {
        std::uint64_t applied = 0;
        bool more = false;  ///< call again at once
        /// Not before then, whatever is committed meanwhile.
        std::optional<std::chrono::steady_clock::time_point> not_before{};
    };
    /// What this runner knows beyond the store.
    struct Report {
        ProjectionState state = ProjectionState::active;
        std::string last_error;
        Position position;  ///< committed, as far as this runner has seen
        double rate = 0;
    };

    Entry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
          Lifecycle lifecycle, const ProjectionRunnerOptions& options);
    virtual ~Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    /// One batch, or what has to come first: making the model, a rebuild. Never throws: what a
    /// definition or its handlers are to blame for halts the projection, all else is waited out.
    Outcome step(const std::stop_token& stop);
    /// Reports that something outside of the projection is in its way.
    void waits_for(const std::string& why);
    /// Tries again what has halted it.
    void resume();
    std::uint64_t replay_parked(std::string_view key);
    std::uint64_t discard_parked(const DiscardParked& which);

    Report report() const;
    const std::string& name() const noexcept { return wanted_.shape.name; }
    const Wanted& wanted() const noexcept { return wanted_; }
    const std::shared_ptr<const ProjectionDefinition>& definition() const noexcept {
        return definition_;
    }

protected:
    using Work = std::function<void(ReadModelDatabase&, Home, LogSource&)>;

    /// How one batch went.
    struct Fed {
        Position position;
        std::uint64_t applied = 0;
        bool more = false;
        bool halted = false;
        std::string failure;  ///< of the event that it stands in front of, if it does
        std::optional<std::chrono::steady_clock::time_point> not_before{};
    };

    /// Makes the empty model in the transaction that enters it in the registry; returns what it has
    /// in the store's own database.
    virtual std::vector<std::string> make(Sql& store) = 0;
    /// That transaction has committed.
    virtual void made() {}
    /// Forgets what it holds of the model and of the store.
    virtual void drop() = 0;
    /// Where the model in service is.
    virtual Position position(const Registered& registered) = 0;
    virtual Fed feed(const Registered& registered) = 0;
    /// Runs `work` on the model in service; it begins and ends transactions of its own.
    virtual void with_model(const Registered& registered, const Work& work) = 0;

    std::optional<Registered> find() const;

    EventStore store_;
    const std::shared_ptr<const ProjectionDefinition> definition_;
    const Wanted wanted_;
    const ProjectionRunnerOptions& options_;

private:
    Outcome move(const std::stop_token& stop);
    Outcome look_again(const CorruptError& first, const std::stop_token& stop);
    Outcome wait_out(const std::string& why);
    Outcome part_with(const Registered& registered, const OtherLogError& why,
                      const std::stop_token& stop);
    /// Notices that the store behind the name is another one.
    void meet(const Registered& registered);
    void forget_store();
    void say_what_is_unknown();
    Outcome feed_batch(const Registered& registered);
    Registered enter();
    Registered find_current() const;
    bool wants_bulk(const Registered& registered);
    Outcome rebuild(const std::stop_token& stop);
    void set_standing(const Registered& registered, bool halted, const std::string& error);
    void set_report(ProjectionState state, std::string error);
    Outcome fail(const std::string& error);

    std::mutex work_mutex_;      ///< one step, replay or discard at a time
    bool looked_ = false;        ///< under work_mutex_: this runner has been here before
    bool bulk_decided_ = false;  ///< under work_mutex_
    bool broken_ = false;        ///< under work_mutex_: it cannot even be fed
    EventId identity_;           ///< under work_mutex_: of the store when it was last seen
    std::string waited_for_;     ///< under work_mutex_: what was said last to be in its way
    RateMeter rate_;
    mutable std::mutex report_mutex_;
    Report report_;  ///< under report_mutex_
};

std::unique_ptr<Entry> make_entry(EventStore store,
                                  std::shared_ptr<const ProjectionDefinition> definition,
                                  Lifecycle lifecycle, const ProjectionRunnerOptions& options);

}  // namespace daybook::detail
