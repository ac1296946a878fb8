#include "daybook/eventstore/mirror.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker.hpp"
#include "transfer/mirror_checkpoint.hpp"
#include "transfer/pipeline.hpp"
#include "transfer/source_point.hpp"

namespace daybook {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds rate_window{2};

MirrorOptions checked(MirrorOptions options) {
    const auto refuse = [](const std::string& why) { throw InvalidError("MirrorOptions: " + why); };
    if (options.name.empty()) refuse("a mirror needs a name");
    if (options.batch_max == 0) refuse("batch_max must be at least 1");
    if (options.queued_events_max == 0) refuse("queued_events_max must be at least 1");
    if (options.queued_bytes_max == 0) refuse("queued_bytes_max must be at least 1");
    return options;
}

}  // namespace

std::string_view to_string(MirrorState state) noexcept {
    switch (state) {
        case MirrorState::stopped: return "stopped";
        case MirrorState::catching_up: return "catching_up";
        case MirrorState::live: return "live";
        case MirrorState::waiting: return "waiting";
        case MirrorState::halted: return "halted";
    }
    return "unknown";
}

struct Mirror::State {
    State(EventStore from, EventStore to, MirrorOptions mirror_options)
        : source(std::move(from)),
          target(std::move(to)),
          options(checked(std::move(mirror_options))),
          pipeline(source, {.map = stage_map(),
                            .batch_max = options.batch_max,
                            .queue_max = {options.queued_events_max, options.queued_bytes_max}}),
          worker(target, {.name = "mirror '" + options.name + "'",
                          .retry = options.retry,
                          .may_fail = true,
                          .on_wait = [this](const auto& why) { note(MirrorState::waiting, why); },
                          .on_failure = [this](const auto& why) { note(MirrorState::halted, why); },
                          .on_stop = [this] { note(MirrorState::stopped); }}) {}

    // Constant after construction.
    EventStore source;
    EventStore target;
    const MirrorOptions options;

    detail::TransferPipeline pipeline;

    // What other threads read.
    mutable Mutex mutex{};
    mutable ConditionVariable changed{};
    MirrorStatus known DAYBOOK_GUARDED_BY(mutex){};
    std::exception_ptr failure DAYBOOK_GUARDED_BY(mutex){};
    SteadyClock::time_point rated_at DAYBOOK_GUARDED_BY(mutex){};
    Position rated_position DAYBOOK_GUARDED_BY(mutex){};

    std::atomic<bool> map_failed{false};

    Worker worker;

    detail::TransferPipeline::Map stage_map();
    void apply_map(detail::TransferEvent& event);
    void prepare(detail::MirrorCheckpoint& checkpoint);
    void copy(detail::MirrorCheckpoint& checkpoint, Position until, const std::stop_token& stop);
    std::uint64_t run_once(const std::stop_token& stop);
    /// Copies until it is stopped.
    NextStep step(detail::MirrorCheckpoint& checkpoint, const std::stop_token& stop);
    void start();
    void note(MirrorState state, const std::exception_ptr& error = {});
    void note_position(const detail::MirrorCheckpoint& checkpoint);
    MirrorStatus status() const;
};

detail::TransferPipeline::Map Mirror::State::stage_map() {
    if (!options.map) return {};
    return [this](detail::TransferEvent& event) { apply_map(event); };
}

void Mirror::State::apply_map(detail::TransferEvent& event) {
    const EventId id = event.event.id;
    try {
        event.dropped = !options.map(event.stream, event.event);
        if (event.event.id == id) return;
        throw InvalidError("mirror '" + options.name + "': its map has changed the id of event " +
                           id.to_string() + ": ids stay, they keep a repeat harmless");
    } catch (...) {
        map_failed = true;
        throw;
    }
}

/// Claims the name, or checks that no other mirror has claimed it since. Checks that the source is
/// the log of the checkpoint.
void Mirror::State::prepare(detail::MirrorCheckpoint& checkpoint) {
    const EventId identity = source.identity();
    const bool again = checkpoint.claimed();
    if (!again || !checkpoint.load()) {
        LogPoint start{0, {}, identity};
        detail::query_store(target, [&](Sql& sql) {
            const auto migration = detail::find_migration(sql);
            if (migration && detail::mismatch(source, migration->point).empty())
                start = migration->point;
        });
        checkpoint.claim(start);
        if (again) {
            target.log(LogLevel::warning, "mirror '" + options.name +
                                              "': the target was put back from a backup or " +
                                              "made again; it goes on after position " +
                                              std::to_string(checkpoint.point().position.value()));
        }
    }
    const std::string why = detail::mismatch(source, checkpoint.point());
    if (!why.empty()) {
        throw InvalidError("mirror '" + options.name + "' cannot go on with '" + source.uri() +
                           "': " + why + ": name the same source, or another mirror");
    }
    checkpoint.set_source(identity);
}

void Mirror::State::copy(detail::MirrorCheckpoint& checkpoint, Position until,
                         const std::stop_token& stop) {
    note_position(checkpoint);
    note(MirrorState::catching_up);
    pipeline.run(checkpoint.point(), until, stop, [&](std::vector<detail::TransferEvent>& events) {
        checkpoint.store(events);
        worker.note_progress();
        note_position(checkpoint);
        note(MirrorState::catching_up);
    });
}

std::uint64_t Mirror::State::run_once(const std::stop_token& stop) {
    detail::MirrorCheckpoint checkpoint{target, options.name};
    try {
        const Position until = source.head();
        prepare(checkpoint);
        const Position start = checkpoint.point().position;
        copy(checkpoint, until, stop);
        if (checkpoint.point().position < until) {
            throw CancelledError("mirror '" + options.name + "' was stopped at position " +
                                 std::to_string(checkpoint.point().position.value()) + " of " +
                                 std::to_string(until.value()) + ": run it again to go on");
        }
        note(MirrorState::stopped);
        return checkpoint.point().position.value() - start.value();
    } catch (const CancelledError&) {
        note(MirrorState::stopped);
        throw;
    } catch (...) {
        note(MirrorState::halted, std::current_exception());
        throw;
    }
}

NextStep Mirror::State::step(detail::MirrorCheckpoint& checkpoint, const std::stop_token& stop) {
    constexpr Position for_ever{unlimited};
    try {
        prepare(checkpoint);
        copy(checkpoint, for_ever, stop);
        return NextStep::now();
    } catch (...) {
        if (map_failed) return NextStep::never(std::current_exception());
        // The head is read again, because the status shows the lag and the source may grow while
        // the mirror waits.
        pipeline.refresh_head();
        throw;
    }
}

void Mirror::State::start() {
    if (worker.is_started()) return;
    map_failed = false;
    note(MirrorState::catching_up);
    const auto checkpoint = std::make_shared<detail::MirrorCheckpoint>(target, options.name);
    worker.start(
        [this, checkpoint](const std::stop_token& stop) { return step(*checkpoint, stop); });
}

void Mirror::State::note(MirrorState state, const std::exception_ptr& error) {
    const MutexLock lock{mutex};
    known.state = state;
    known.last_error = error ? error_text(error) : std::string{};
    failure = state == MirrorState::halted ? error : nullptr;
    changed.notify_all();
}

void Mirror::State::note_position(const detail::MirrorCheckpoint& checkpoint) {
    const auto now = SteadyClock::now();
    const MutexLock lock{mutex};
    known.position = checkpoint.point().position;
    known.stored = checkpoint.stored();
    known.dropped = checkpoint.dropped();
    const double seconds = std::chrono::duration<double>(now - rated_at).count();
    if (rated_at != SteadyClock::time_point{} && now - rated_at < rate_window) return;
    if (rated_at != SteadyClock::time_point{}) {
        known.per_second =
            static_cast<double>(known.position.value() - rated_position.value()) / seconds;
    }
    rated_at = now;
    rated_position = known.position;
}

MirrorStatus Mirror::State::status() const {
    MirrorStatus status;
    {
        const MutexLock lock{mutex};
        status = known;
        if (SteadyClock::now() - rated_at > 2 * rate_window) status.per_second = 0;
    }
    const auto peak = pipeline.peak();
    status.head = std::max(pipeline.head(), status.position);
    status.queued_events_peak = peak.items;
    status.queued_bytes_peak = peak.bytes;
    if (status.state == MirrorState::catching_up && pipeline.has_read_head() && status.lag() == 0) {
        status.state = MirrorState::live;
    }
    return status;
}

Mirror::Mirror(EventStore source, EventStore target, MirrorOptions options)
    : state_(std::make_unique<State>(std::move(source), std::move(target), std::move(options))) {}

Mirror::~Mirror() {
    if (state_) stop();
}

Mirror::Mirror(Mirror&&) noexcept = default;
Mirror& Mirror::operator=(Mirror&& other) noexcept {
    if (this == &other) return *this;
    if (state_) stop();
    state_ = std::move(other.state_);
    return *this;
}

std::uint64_t Mirror::run_once(std::stop_token stop) { return state_->run_once(stop); }

void Mirror::start() { state_->start(); }

void Mirror::stop() { state_->worker.stop(); }

MirrorStatus Mirror::status() const { return state_->status(); }

bool Mirror::wait_for(Position position, std::chrono::milliseconds timeout) const {
    const auto deadline = deadline_after(timeout);
    MutexLock lock{state_->mutex};
    while (state_->known.position < position && state_->known.state != MirrorState::halted &&
           state_->known.state != MirrorState::stopped &&
           state_->changed.wait_until(lock, deadline) == std::cv_status::no_timeout) {}
    return state_->known.position >= position;
}

std::exception_ptr Mirror::failure() const {
    const MutexLock lock{state_->mutex};
    return state_->failure;
}

}  // namespace daybook
