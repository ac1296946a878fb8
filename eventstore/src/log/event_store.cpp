#include "daybook/eventstore/event_store.hpp"

#include "daybook/core/conflict_error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "log/store_core.hpp"

namespace daybook {

namespace {

/// Throws InvalidError in the child of a fork: the store belongs to the parent there.
Engine& own_engine(const StoreCore& core) {
    core.fork_mark.refuse_child(core.uri);
    return *core.engine;
}

}  // namespace

EventStore::EventStore(std::shared_ptr<StoreCore> core) noexcept : core_(std::move(core)) {}

EventStore EventStore::open(std::string_view uri, StoreOptions options) {
    auto core = std::make_unique<StoreCore>(uri, std::move(options));
    // The child of a fork destroys nothing: the store would wait for threads that exist only in the
    // parent, and would release the parent's locks.
    const auto close = [](StoreCore* opened) {
        if (!opened->fork_mark.is_in_child()) delete opened;
    };
    return EventStore{std::shared_ptr<StoreCore>{core.release(), close}};
}

AppendResult EventStore::append(const StreamName& stream, ExpectedVersion expected,
                                std::span<const NewEvent> events) {
    AppendOutcome outcome = core_->append(stream, expected, events);
    if (auto* conflict = std::get_if<Conflict>(&outcome)) throw ConflictError(std::move(*conflict));
    return std::get<AppendResult>(outcome);
}

AppendOutcome EventStore::try_append(const StreamName& stream, ExpectedVersion expected,
                                     std::span<const NewEvent> events) {
    return core_->append(stream, expected, events);
}

std::future<AppendResult> EventStore::append_async(StreamName stream, ExpectedVersion expected,
                                                   std::vector<NewEvent> events) {
    return core_->append_async(std::move(stream), expected, std::move(events));
}

EventRange EventStore::read(const StreamName& stream, StreamRead options) const {
    return EventRange{core_->stream_pages(stream, options), core_->pages->borrow(), core_};
}

EventRange EventStore::read_all(LogRead options) const {
    return EventRange{core_->log_pages(options), core_->pages->borrow(), core_};
}

Version EventStore::version(const StreamName& stream) const {
    return PooledReader { own_engine(*core_) } -> version(stream);
}

Position EventStore::head() const {
    return PooledReader { own_engine(*core_) } -> head();
}

CommitResult EventStore::transact(const std::function<void(Transaction&)>& work, Trace trace) {
    return core_->transact(work, trace);
}

void EventStore::query(const std::function<void(Sql&)>& read) const { core_->query(read); }

bool EventStore::wait_beyond(Position seen, std::chrono::milliseconds timeout,
                             std::stop_token stop) const {
    const auto deadline = deadline_after(timeout);
    for (;;) {
        const std::uint64_t commits = core_->signal.count();
        if (head() > seen) return true;
        const std::chrono::milliseconds left = time_left(deadline);
        if (left == left.zero() || stop.stop_requested()) return false;
        core_->signal.wait(commits, left, stop);
    }
}

std::uint64_t EventStore::commits() const { return core_->signal.count(); }

void EventStore::wait_for_commit(std::uint64_t seen, std::chrono::milliseconds timeout,
                                 std::stop_token stop) const {
    core_->fork_mark.refuse_child(core_->uri);
    core_->signal.wait(seen, timeout, stop);
}

std::shared_ptr<void> EventStore::add_commit_hook(CommitHook hook) {
    // The handle keeps the store alive, because its destructor removes the hook from it.
    auto added = core_->add_commit_hook(std::move(hook));
    return {added.get(), [core = core_, added](void*) mutable { added.reset(); }};
}

EventId EventStore::identity() const {
    return detail::store_identity(PooledReader { own_engine(*core_) } -> sql());
}

const Clock& EventStore::clock() const noexcept { return core_->clock(); }

const std::string& EventStore::uri() const noexcept { return core_->uri; }

const StoreOptions& EventStore::options() const noexcept { return core_->options; }

void EventStore::log(LogLevel level, std::string_view text) const {
    if (!core_->options.log) return;
    try {
        core_->options.log(level, text);
    } catch (...) {
        // The callback promises not to throw. If it does, no thread of the store may end for that.
    }
}

std::string EventStore::engine_description() const { return core_->engine->description(); }

}  // namespace daybook
