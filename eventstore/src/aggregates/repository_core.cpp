#include <exception>
#include <thread>

#include "aggregates/aggregate_fold.hpp"
#include "aggregates/snapshot_table.hpp"
#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/repository.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "log/store_core.hpp"

namespace daybook::detail {

namespace {

/// Small, because the pool keeps the pages.
constexpr std::size_t page_bytes_max = 1024 * 1024;

/// Loads a state from a store or from a transaction.
template <class Source>
class Load {
public:
    Load(Source& source, const FoldType& type, const StreamName& stream, EventPage& page) noexcept
        : source_(source), type_(type), stream_(stream), page_(page) {}

    FoldPoint run(void* slot, const std::optional<Snapshot>& snapshot) {
        void* state = type_.restart(slot, stream_);
        FoldPoint at;
        if (snapshot) {
            at = {snapshot->version, {}, snapshot->event, snapshot->version, {}};
            if (decode(*snapshot, state) && fold(state, at)) return at;
            state = type_.restart(slot, stream_);
            at = {};
        }
        fold(state, at);
        return at;
    }

private:
    bool decode(const Snapshot& snapshot, void* state) const {
        try {
            type_.decode(snapshot.state, state);
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

    /// Folds the events after `at`, which is the start of the stream or a snapshot. False if the
    /// stream does not hold the last event of the snapshot; the state is useless then.
    bool fold(void* state, FoldPoint& at) {
        const Version start = at.version;
        bool fits = start == Version{0};
        Folder folder{type_, state};
        // Reads from the snapshot's last event, not from the one after it, to check that it is
        // there. After a restored backup it may be another event, and the snapshot would be wrong.
        LogPoint last;
        PageRequest request{.stream = &stream_,
                            .from = fits ? 1 : start.value(),
                            .bytes_max = page_bytes_max,
                            .last_read = &last};
        do {
            detail::read_page(source_, request, page_);
            for (const EventRow& row : page_.rows) {
                last = {row.position, row.id, {}};
                at.position = row.position;
                if (row.version <= start) {
                    fits = row.id == at.event;
                    continue;
                }
                if (!fits) return false;
                folder.apply(row);
                at.event = row.id;
            }
            request.from = page_.next_from;
        } while (!page_.at_end);
        // Not the version of the last row: upcasters may have dropped later events.
        at.version = Version{request.from - 1};
        return fits;
    }

    Source& source_;
    const FoldType& type_;
    const StreamName& stream_;
    EventPage& page_;
};

void add_to(std::span<NewEvent> events, const SaveOptions& options) {
    for (NewEvent& event : events) {
        if (event.trace.correlation.is_nil()) event.trace.correlation = options.trace.correlation;
        if (event.trace.causation.is_nil()) event.trace.causation = options.trace.causation;
        if (event.metadata.empty()) event.metadata = options.metadata;
    }
}

/// Moves `what.at` to the last of its events after they were stored.
SaveResult note_stored(const Unsaved& what, const AppendResult& stored) {
    what.at.version = stored.version;
    what.at.position = stored.position;
    what.at.event = what.events.back().id;
    return {stored.position, stored.version, what.events.size()};
}

void mark_snapshot(FoldPoint& at) noexcept {
    at.snapshot = at.version;
    at.load_time = {};
}

std::string subject(const FoldType& type, const StreamName& stream) {
    return std::string(type.name) + " '" + stream.str() + "'";
}

}  // namespace

RepositoryCore::RepositoryCore(EventStore store, const FoldType& type, RepositoryOptions options)
    : store_(std::move(store)),
      type_(type),
      options_(options),
      fingerprint_(snapshot_fingerprint(type)) {}

FoldPoint RepositoryCore::load(const StreamName& stream, void* slot) const {
    const auto started_at = std::chrono::steady_clock::now();
    std::optional<Snapshot> snapshot;
    if (type_.can_snapshot()) {
        const PooledReader reader{engine_of(store_)};
        snapshot = find_snapshot(reader->sql(), stream);
    }
    const auto page = detail::borrow_page(store_);
    FoldPoint at = Load{store_, type_, stream, *page}.run(slot, snapshot);
    at.load_time = std::chrono::steady_clock::now() - started_at;
    return at;
}

FoldPoint RepositoryCore::load(Transaction& tx, const StreamName& stream, void* slot) const {
    const auto started_at = std::chrono::steady_clock::now();
    std::optional<Snapshot> snapshot;
    if (type_.can_snapshot()) snapshot = find_snapshot(detail::store_sql(tx), stream);
    const auto page = detail::borrow_page(store_);
    FoldPoint at = Load{tx, type_, stream, *page}.run(slot, snapshot);
    at.load_time = std::chrono::steady_clock::now() - started_at;
    return at;
}

std::optional<Snapshot> RepositoryCore::find_snapshot(Sql& sql, const StreamName& stream) const {
    return SnapshotTable{sql, type_.name, fingerprint_}.find(stream);
}

std::optional<Conflict> RepositoryCore::try_save(const Unsaved& what, const SaveOptions& options,
                                                 SaveResult& result) {
    result = {what.at.position, what.at.version, 0};
    if (what.events.empty()) return std::nullopt;
    add_to(what.events, options);
    AppendOutcome outcome =
        store_.try_append(what.stream, at_version(what.at.version), what.events);
    if (auto* conflict = std::get_if<Conflict>(&outcome)) return std::move(*conflict);
    result = note_stored(what, std::get<AppendResult>(outcome));
    if (!snapshot_due(what.at)) return std::nullopt;
    try {
        take_snapshot(what);
    } catch (const std::exception& error) {
        // The events are stored, and a snapshot is only a cache: the save has succeeded.
        store_.log(LogLevel::warning,
                   subject(type_, what.stream) +
                       ": no snapshot was taken, the next save tries again: " + error.what());
    }
    return std::nullopt;
}

SaveResult RepositoryCore::save(Transaction& tx, const Unsaved& what, const SaveOptions& options) {
    if (what.events.empty()) return {what.at.position, what.at.version, 0};
    add_to(what.events, options);
    const SaveResult result =
        note_stored(what, tx.append(what.stream, at_version(what.at.version), what.events));
    if (snapshot_due(what.at)) {
        put_snapshot(tx, what);
        mark_snapshot(what.at);
    }
    return result;
}

void RepositoryCore::snapshot(const Unsaved& what) {
    if (!what.events.empty() || what.at.version == Version{0}) {
        throw InvalidError(subject(type_, what.stream) +
                           ": a snapshot is of what is stored: save it first");
    }
    take_snapshot(what);
}

void RepositoryCore::take_snapshot(const Unsaved& what) {
    store_.transact([&](Transaction& tx) { put_snapshot(tx, what); });
    mark_snapshot(what.at);
}

void RepositoryCore::put_snapshot(Transaction& tx, const Unsaved& what) const {
    Snapshot snapshot{what.at.version, what.at.event, {}};
    type_.encode(what.state, snapshot.state);
    SnapshotTable{detail::store_sql(tx), type_.name, fingerprint_}.put(what.stream, snapshot,
                                                                       tx.now());
}

bool RepositoryCore::snapshot_due(const FoldPoint& at) const noexcept {
    if (!type_.can_snapshot()) return false;
    const std::uint64_t since = at.version.value() - at.snapshot.value();
    const auto slow = options_.snapshot_when_load_exceeds;
    return (options_.snapshot_every > 0 && since >= options_.snapshot_every) ||
           (slow > slow.zero() && at.load_time > slow);
}

void RepositoryCore::retry(const std::function<std::optional<Conflict>()>& attempt) const {
    for (int attempts_made = 1;; ++attempts_made) {
        std::optional<Conflict> conflict = attempt();
        if (!conflict) return;
        if (options_.retry.exhausted(attempts_made)) throw ConflictError(*std::move(conflict));
        std::this_thread::sleep_for(options_.retry.delay(attempts_made));
    }
}

void RepositoryCore::fail_not_found(const StreamName& stream) const {
    throw NotFoundError(subject(type_, stream) +
                        ": the stream is empty: create it first, or ask with find()");
}

void RepositoryCore::fail_raised_on_load(const StreamName& stream) const {
    throw InvalidError(subject(type_, stream) +
                       ": an on() raises events: on() only changes the state, raise in the "
                       "method that decides");
}

}  // namespace daybook::detail
