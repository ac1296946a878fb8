#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/aggregate_root.hpp"
#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// How often `update` and `handle` decide again after a conflict, and how long they wait before
/// that.
inline constexpr Backoff conflict_retry =
    exponential(std::chrono::milliseconds{2}, 2.0, std::chrono::milliseconds{200})
        .full_jitter()
        .attempts(12);

/// For states that can be encoded (see Snapshottable). A snapshot is written right after the append
/// that makes it due, or in the same transaction. Existing snapshots are always used.
struct RepositoryOptions {
    /// Take a snapshot when this many events were appended after the last one; 0: not by count.
    std::uint64_t snapshot_every = 0;
    /// Take a snapshot with the first save after a load that took longer; 0: not by time.
    std::chrono::microseconds snapshot_when_load_exceeds{0};
    Backoff retry = conflict_retry;
};

/// For states that cannot be encoded: setting an option of snapshots does not compile.
struct RepositoryOptionsWithoutSnapshots {
    Backoff retry = conflict_retry;
};

/// The options that fit states of this type.
template <class State>
using RepositoryOptionsFor =
    std::conditional_t<Snapshottable<State>, RepositoryOptions, RepositoryOptionsWithoutSnapshots>;

/// The trace and the metadata of the events of a save.
struct SaveOptions {
    /// What they follow from: `{.trace = event.trace()}`. Without, that of the transaction.
    Trace trace{};
    /// A JSON object for events without metadata of their own.
    std::string metadata{};
};

/// The result of a save.
struct SaveResult {
    /// Of the newest event of the stream. A read model that has reached it includes this write.
    Position position;
    Version version;
    /// How many events were stored; 0 if none were pending.
    std::size_t events = 0;
};

namespace detail {

struct Snapshot;

/// A state with events that are not stored yet. They are applied to `state` already.
struct Unsaved {
    const StreamName& stream;
    const void* state;
    FoldPoint& at;
    std::span<NewEvent> events;
};

/// The compiled core of Repository and CommandHandler: load, append, retry after conflicts,
/// snapshots. Thread-safe.
class RepositoryCore {
public:
    RepositoryCore(EventStore store, const FoldType& type, RepositoryOptions options);
    RepositoryCore(EventStore store, const FoldType& type,
                   const RepositoryOptionsWithoutSnapshots& options)
        : RepositoryCore(std::move(store), type, RepositoryOptions{.retry = options.retry}) {}

    /// Folds the stream into a state in `slot`; version 0 if the stream is empty.
    FoldPoint load(const StreamName& stream, void* slot) const;
    FoldPoint load(Transaction& tx, const StreamName& stream, void* slot) const;

    /// Stores the events and moves `at` to the last of them, then takes a snapshot if one is due.
    std::optional<Conflict> try_save(const Unsaved& what, const SaveOptions& options,
                                     SaveResult& result);
    /// The same within a transaction. Throws ConflictError.
    SaveResult save(Transaction& tx, const Unsaved& what, const SaveOptions& options);
    /// Takes a snapshot now. Throws InvalidError if events are not stored yet.
    void snapshot(const Unsaved& what);

    /// Calls `attempt` until it returns no conflict; throws ConflictError after the last attempt.
    void retry(const std::function<std::optional<Conflict>()>& attempt) const;

    [[noreturn]] void fail_not_found(const StreamName& stream) const;
    [[noreturn]] void fail_raised_on_load(const StreamName& stream) const;

    const FoldType& type() const noexcept { return type_; }

private:
    bool snapshot_due(const FoldPoint& at) const noexcept;
    std::optional<Snapshot> find_snapshot(Sql& sql, const StreamName& stream) const;
    void take_snapshot(const Unsaved& what);
    void put_snapshot(Transaction& tx, const Unsaved& what) const;

    EventStore store_;
    const FoldType& type_;
    RepositoryOptions options_;
    std::string fingerprint_;
};

}  // namespace detail

/// Loads and saves aggregates of one type.
///
///     Repository<Account> accounts{store, {.snapshot_every = 100}};
///     accounts.save(Account::open("account-1", "Ada"));
///     accounts.update("account-1", [](Account& account) { account.withdraw(25'00); });
///
/// Besides what the store throws, loading throws InvalidError for an event that `A` does not list
/// and CorruptError for one whose payload does not fit. When a save throws, the aggregate is as
/// before. Saving it again stores nothing twice, because its events keep their ids. Thread-safe; an
/// aggregate is not.
///
/// The calls with a Transaction are part of it: they see its writes, and do not retry. After a
/// rollback the aggregates that were saved in it must not be used any more: they count their events
/// as stored.
template <class A>
class Repository {
    static_assert(std::constructible_from<A, const StreamName&>,
                  "an aggregate is made from a StreamName: using AggregateRoot::AggregateRoot;");
    using Access = detail::AggregateAccess<A>;

public:
    using Options = RepositoryOptionsFor<A>;

    explicit Repository(EventStore store, Options options = {})
        : core_(std::move(store), detail::fold_type<Access>, options) {}

    /// Throws NotFoundError if the stream is empty.
    A load(const StreamName& id) const { return existing(folded(id)); }
    A load(Transaction& tx, const StreamName& id) const { return existing(folded(tx, id)); }

    /// Nothing if the stream is empty.
    std::optional<A> find(const StreamName& id) const { return if_any(folded(id)); }
    std::optional<A> find(Transaction& tx, const StreamName& id) const {
        return if_any(folded(tx, id));
    }

    /// Stores the pending events if the stream is still at the version that `aggregate` was loaded
    /// at. Otherwise throws ConflictError: the caller loads and decides again. Afterwards the
    /// aggregate has the new version. Without pending events it does not access the store.
    SaveResult save(A& aggregate, const SaveOptions& options = {}) {
        SaveResult result;
        if (const auto conflict = try_save(aggregate, options, result)) {
            throw ConflictError(*conflict);
        }
        return result;
    }
    SaveResult save(A&& aggregate, const SaveOptions& options = {}) {
        return save(aggregate, options);
    }
    SaveResult save(Transaction& tx, A& aggregate, const SaveOptions& options = {}) {
        const SaveResult result = core_.save(tx, unsaved(aggregate), options);
        Access::pending(aggregate).clear();
        return result;
    }
    SaveResult save(Transaction& tx, A&& aggregate, const SaveOptions& options = {}) {
        return save(tx, aggregate, options);
    }

    /// Loads, calls `change(aggregate)`, and saves. On a conflict it starts again, as often as the
    /// options allow, then throws ConflictError. So `change` may run several times and should have
    /// no effect but on the aggregate. Throws NotFoundError if the stream is empty.
    template <std::invocable<A&> Change>
    SaveResult update(const StreamName& id, Change&& change, const SaveOptions& options = {}) {
        return repeat(id, change, options, IfMissing::fail);
    }
    /// The same, but an empty stream is a new aggregate.
    template <std::invocable<A&> Change>
    SaveResult update_or_create(const StreamName& id, Change&& change,
                                const SaveOptions& options = {}) {
        return repeat(id, change, options, IfMissing::create);
    }
    template <std::invocable<A&> Change>
    SaveResult update(Transaction& tx, const StreamName& id, Change&& change,
                      const SaveOptions& options = {}) {
        A aggregate = load(tx, id);
        change(aggregate);
        return save(tx, aggregate, options);
    }
    template <std::invocable<A&> Change>
    SaveResult update_or_create(Transaction& tx, const StreamName& id, Change&& change,
                                const SaveOptions& options = {}) {
        A aggregate = *folded(tx, id);
        change(aggregate);
        return save(tx, aggregate, options);
    }

    /// Takes a snapshot now, regardless of the options. Throws InvalidError if events are pending
    /// or nothing is stored.
    void snapshot(A& aggregate)
        requires Snapshottable<A>
    {
        core_.snapshot(unsaved(aggregate));
    }

private:
    enum class IfMissing { fail, create };

    /// From the store, or from a transaction. A new aggregate if the stream is empty.
    template <class... From>
    std::optional<A> folded(From&... from) const {
        std::optional<A> aggregate;
        const detail::FoldPoint at = core_.load(from..., &aggregate);
        Access::at(*aggregate) = at;
        if (!aggregate->pending().empty()) core_.fail_raised_on_load(aggregate->id());
        return aggregate;
    }
    A existing(std::optional<A>&& aggregate) const {
        if (aggregate->version() == Version{0}) core_.fail_not_found(aggregate->id());
        return *std::move(aggregate);
    }
    std::optional<A> if_any(std::optional<A>&& aggregate) const {
        if (aggregate->version() == Version{0}) aggregate.reset();
        return std::move(aggregate);
    }

    static detail::Unsaved unsaved(A& aggregate) noexcept {
        return {aggregate.id(), &aggregate, Access::at(aggregate), Access::pending(aggregate)};
    }
    std::optional<Conflict> try_save(A& aggregate, const SaveOptions& options, SaveResult& result) {
        auto conflict = core_.try_save(unsaved(aggregate), options, result);
        if (!conflict) Access::pending(aggregate).clear();
        return conflict;
    }
    template <class Change>
    SaveResult repeat(const StreamName& id, Change& change, const SaveOptions& options,
                      IfMissing missing) {
        SaveResult result;
        core_.retry([&] {
            std::optional<A> aggregate = folded(id);
            if (missing == IfMissing::fail && aggregate->version() == Version{0}) {
                core_.fail_not_found(id);
            }
            change(*aggregate);
            return try_save(*aggregate, options, result);
        });
        return result;
    }

    detail::RepositoryCore core_;
};

}  // namespace daybook
