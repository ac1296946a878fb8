#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// Decides what the target gets of an event: false leaves it out; type, data, metadata and trace
/// may be changed. Called on one thread, in the order of the source; may be called again for an
/// event whose unit was not stored, so it should answer the same. Whatever it throws halts the
/// mirror.
using MirrorMap = std::function<bool(const StreamName& stream, NewEvent& event)>;

/// How a Mirror copies.
struct MirrorOptions {
    /// What its checkpoint in the target is called: one name for each source of a target.
    std::string name = "mirror";
    MirrorMap map{};
    /// The most events of one unit in the target.
    std::size_t batch_max = 1'000;
    /// What may wait between two stages; then the one that gives is held back.
    std::size_t queued_events_max = 4'000;
    std::size_t queued_bytes_max = 16 * 1024 * 1024;
    /// The waits while a store is unavailable. It never gives up, however many attempts this says.
    Backoff retry =
        exponential{std::chrono::milliseconds{100}, 2.0, std::chrono::seconds{10}}.full_jitter();
};

/// What a Mirror is doing.
enum class MirrorState {
    stopped,      ///< not started, or stopped on request
    catching_up,  ///< on its way to the head of the source
    live,         ///< has been there, and is woken by what is appended
    waiting,      ///< a store cannot be reached or written: see `last_error`; it tries again
    halted,       ///< by an error that does not go away by itself: see `last_error`
};

/// The name of the state: `catching_up`.
std::string_view to_string(MirrorState state) noexcept;

/// How far a Mirror is, what it has stored, and what holds it up.
struct MirrorStatus {
    MirrorState state = MirrorState::stopped;
    Position position;                   ///< of the source: everything up to here is in the target
    Position head;                       ///< of the source, when it was last looked at
    std::uint64_t stored = 0;            ///< events, since the mirror was first started
    std::uint64_t dropped = 0;           ///< by the map, likewise
    double per_second = 0;               ///< events, over the last few seconds
    std::string last_error;              ///< what it waits for or was halted by; otherwise empty
    std::size_t queued_events_peak = 0;  ///< the most that waited between two stages
    std::size_t queued_bytes_peak = 0;

    std::uint64_t lag() const noexcept {
        return head > position ? head.value() - position.value() : 0;
    }
};

/// Keeps a second store up to date with the events of a first one: each event once, with its id,
/// time, metadata and trace. One thread reads, one maps, one stores, each as fast as the next one
/// takes.
///
///     Mirror mirror{EventStore::open("orders.db"), EventStore::open("central.db"),
///                   {.name = "shop-7"}};
///     mirror.start();
///
/// **Exactly once.** The checkpoint stands in the target and commits with the events. After any
/// crash, restart or failure the mirror goes on behind the last event that is there. In a target
/// that `migrate` has made from this source it begins where that has ended.
///
/// **Versions.** A stream has the same versions in the target as in the source, less what the map
/// has left out of it. Several sources may feed one target under different names; positions are
/// then the target's own. A stream that somebody else writes to in the target halts the mirror with
/// a ConflictError that names it.
///
/// **One log.** The checkpoint names the event it stands on and the source (see LogPoint). A source
/// that was put back from a backup, or is another store, halts the mirror with InvalidError. When
/// the target was put back, or made again, the mirror goes on from where the target is, and says so
/// in its log.
///
/// **Outages.** A store that is away, a standby or not there for a while is waited for, see
/// `waiting`. Any other error of a store halts it when a second and a third look have met it too.
///
/// **One at a time.** Who starts a mirror takes its name over: an older one of that name stores
/// nothing any more and halts.
///
/// Only events are mirrored, not messages, snapshots or read models. Commit hooks of the target run
/// as after any append; nothing is upcast. Its functions may be called from any thread, but for
/// `run_once`, `start` and `stop`, which belong to one.
class Mirror {
public:
    /// Throws InvalidError for options that cannot work.
    Mirror(EventStore source, EventStore target, MirrorOptions options = {});
    ~Mirror();  ///< stops it
    Mirror(Mirror&&) noexcept;
    Mirror& operator=(Mirror&&) noexcept;

    /// Copies what the source holds now, on this thread and two of its own, and returns the number
    /// of events it went through. Not while it is started. Throws what the stores throw (what was
    /// stored by then stays), ConflictError, InvalidError if the source is not the one that was
    /// mirrored before, CancelledError when `stop` is requested.
    std::uint64_t run_once(std::stop_token stop = {});

    /// Runs on threads of its own until `stop`, or until it halts.
    void start();
    /// Ends the unit in hand. Does nothing if it does not run.
    void stop();

    MirrorStatus status() const;
    /// Waits until everything up to this position of the source is in the target. False after
    /// `timeout`, or if it halted or was stopped before.
    bool wait_for(Position position, std::chrono::milliseconds timeout) const;
    /// What it was halted by; null if it is not.
    std::exception_ptr failure() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
