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

/// Decides what the target gets of an event. Returns false to leave it out; may change type, data,
/// metadata and trace. Called on one thread, in the order of the source. It may be called again for
/// an event whose transaction was not stored, and must return the same then. If it throws, the
/// mirror halts.
using MirrorMap = std::function<bool(const StreamName& stream, NewEvent& event)>;

/// How a Mirror copies.
struct MirrorOptions {
    /// The name of its checkpoint in the target. Each source of a target needs a name of its own.
    std::string name = "mirror";
    MirrorMap map{};
    /// The most events of one transaction in the target.
    std::size_t batch_max = 1'000;
    /// The limits of a queue between two stages. While it is full, the stage before it waits.
    std::size_t queued_events_max = 4'000;
    std::size_t queued_bytes_max = 16 * 1024 * 1024;
    /// The waits while a store is unavailable. `attempts` has no effect: it never gives up.
    Backoff retry =
        exponential(std::chrono::milliseconds{100}, 2.0, std::chrono::seconds{10}).full_jitter();
};

/// What a Mirror is doing.
enum class MirrorState {
    stopped,      ///< not started, or stopped on request
    catching_up,  ///< on its way to the head of the source
    live,         ///< has reached the head, and is woken by appends
    waiting,      ///< a store cannot be reached or written: see `last_error`; it tries again
    halted,       ///< by an error that lasts: see `last_error`
};

/// The name of the state: `catching_up`.
std::string_view to_string(MirrorState state) noexcept;

/// How far a Mirror is, what it has stored, and what holds it up.
struct MirrorStatus {
    MirrorState state = MirrorState::stopped;
    Position position;                   ///< of the source: everything up to here is in the target
    Position head;                       ///< of the source, as last read
    std::uint64_t stored = 0;            ///< events, since the mirror was first started
    std::uint64_t dropped = 0;           ///< by the map, likewise
    double per_second = 0;               ///< events, over the last few seconds
    std::string last_error;              ///< why it waits or has halted; otherwise empty
    std::size_t queued_events_peak = 0;  ///< the most that a queue has held
    std::size_t queued_bytes_peak = 0;

    std::uint64_t lag() const noexcept {
        return head > position ? head.value() - position.value() : 0;
    }
};

/// Keeps a second store up to date with the events of a first one: each event once, with its id,
/// time, metadata and trace. One thread reads, one maps and one stores; the slowest sets the pace.
///
///     Mirror mirror{EventStore::open("orders.db"), EventStore::open("central.db"),
///                   {.name = "shop-7"}};
///     mirror.start();
///
/// **Exactly once.** The checkpoint is stored in the target and commits with the events. After a
/// crash, restart or failure the mirror continues after the last event that is stored there. In a
/// target that `migrate` has filled from this source, it starts where the migration has ended.
///
/// **Versions.** A stream has the same versions in the target as in the source, without the
/// events that the map has left out. Several sources may feed one target under different names;
/// positions are then the target's own. If another program writes to a mirrored stream in the
/// target, the mirror halts with a ConflictError that names it.
///
/// **One log.** The checkpoint holds the id of its event and of the source (see LogPoint). If the
/// source was restored from a backup, or is another store, the mirror halts with InvalidError: the
/// two logs would be mixed in the target. If the target was restored or created again, the mirror
/// continues after the target's last event, and logs it.
///
/// **Outages.** While a store is unreachable, a standby or missing, the mirror waits (`waiting`).
/// Any other error of a store halts it if it comes three times in a row.
///
/// **One at a time.** A mirror that starts takes the name over. An older mirror of that name then
/// stores nothing more and halts.
///
/// Only events are mirrored, not messages, snapshots or read models. Commit hooks of the target run
/// as after any append; nothing is upcast. Its functions may be called from any thread, except for
/// `run_once`, `start` and `stop`, which must be called by one.
class Mirror {
public:
    /// Throws InvalidError for options that cannot work.
    Mirror(EventStore source, EventStore target, MirrorOptions options = {});
    ~Mirror();  ///< stops it
    Mirror(Mirror&&) noexcept;
    Mirror& operator=(Mirror&&) noexcept;

    /// Copies what the source holds now, on this thread and two of its own. Returns the number of
    /// events it has read. Not while it is started. Throws what the stores throw (earlier batches
    /// stay stored), ConflictError, InvalidError if the source is not the one that was
    /// mirrored before, CancelledError when `stop` is requested.
    std::uint64_t run_once(std::stop_token stop = {});

    /// Runs on threads of its own until `stop`, or until it halts.
    void start();
    /// Stops after the current transaction. Does nothing if it does not run.
    void stop();

    MirrorStatus status() const;
    /// Waits until everything up to this position of the source is in the target. False after
    /// `timeout`, or if it halted or was stopped before.
    bool wait_for(Position position, std::chrono::milliseconds timeout) const;
    /// The error that has halted it; null if it is not halted.
    std::exception_ptr failure() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
