#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "values/text_hash.hpp"

namespace daybook::postgres {

/// The database ids of a stream and of its category.
struct StreamIds {
    std::int64_t stream;
    std::int64_t category;
};

/// What the cache holds for the append of one event. The server uses these ids instead of looking
/// the names up, but only if the cache still ends at the last event of the log.
struct EventHints {
    struct Stream {
        std::int64_t id;
        Version version;
    };

    std::int64_t log_table = 0;  ///< oid of the table `daybook_event` that the ids belong to
    std::optional<std::int64_t> type;
    std::optional<std::int64_t> category;
    /// Set if the stream has the expected version, and type and category are set as well: the
    /// server can then insert the event without any further check.
    std::optional<Stream> stream;
};

/// The results of a group of appends, computed before the server is asked. They hold if no other
/// process has appended since the cache was filled.
struct Prediction {
    // One element for each predicted append.
    std::vector<const AppendRequest*> predicted;
    std::vector<StreamIds> streams;
    std::vector<AppendResult> results;
    /// The type ids of all events of the predicted appends, one after the other.
    std::vector<std::int64_t> types;
    /// The appends that cannot be predicted: the server has to look their names and versions up.
    std::vector<const AppendRequest*> rest;
};

/// One writer's cache of the log: its last event, the ids of streams, categories and event types,
/// and the versions of the streams that this writer has appended to.
///
/// Events are only ever added at the end of the log. So all of the cache is valid as long as its
/// last event is the last event of the log; the server compares the two under the store's lock
/// (`append_known`, `append_event`). A writer without competitors therefore never looks a name or
/// a version up. (docs/decisions/0013-a-writer-remembers-the-log.md)
class LogCache {
public:
    /// The id of the last event of the log; nil if the cache is empty.
    const EventId& last_event() const noexcept { return last_event_; }
    /// The oid of the table that the ids belong to. A store that was dropped and made anew, or
    /// restored from a copy, has another table, in which the same ids may stand for other names.
    std::int64_t log_table() const noexcept { return log_table_; }

    Prediction predict(AppendRequests requests);
    EventHints hints_for(const AppendRequest& request) const;

    // What the server has returned for appends that it stored. For each call of the server, in this
    // order: `record_log_table`, `record_continued`, then the appends in the order of their
    // positions. An append recorded before a `record_continued(false)` would be invalidated by it.

    /// Clears the cache if the ids belong to another table.
    void record_log_table(std::int64_t log_table);
    /// Whether `last_event` was the last event of the log before the appends. If not, another
    /// process has appended, so everything recorded before is invalid.
    void record_continued(bool continued) noexcept;
    void record(const Prediction& prediction);
    void record_type(const EventType& type, std::int64_t id);
    void record_append(const AppendRequest& request, const StreamIds& ids,
                       const AppendResult& result);
    /// Everything recorded before is invalid.
    void invalidate() noexcept { record_continued(false); }

private:
    struct Stream {
        StreamIds ids{};
        Version version{};
        std::uint64_t generation = 0;  ///< of the version and the ids
        // The state of one call of `predict`.
        std::uint64_t prediction = 0;  ///< number of the call that the next two belong to
        Version predicted{};           ///< the version after the appends predicted so far
        /// An append to this stream could not be predicted. Those behind it in the group depend on
        /// its result, so they cannot be predicted either.
        bool unpredictable = false;
    };

    struct CachedId {
        std::int64_t value = 0;
        std::uint64_t generation = 0;
    };

    struct Type {
        int version = 0;
        CachedId id;
    };

    bool predict(const AppendRequest& request, Prediction& prediction, Position& head);
    bool add_types(const AppendRequest& request, std::vector<std::int64_t>& types) const;
    std::optional<std::int64_t> type_id(const EventType& type) const;
    std::optional<std::int64_t> category_id(std::string_view category) const;

    static constexpr std::size_t streams_max = 1 << 17;
    static constexpr std::size_t categories_max = 1 << 14;
    static constexpr std::size_t types_max = 1 << 14;

    std::int64_t log_table_ = 0;
    EventId last_event_{};
    Position head_;  ///< the position of `last_event_`
    /// No other process appended between the last two appends. Otherwise nothing is predicted: when
    /// processes take turns, each would pay for a prediction that fails every time.
    bool continued_ = false;
    /// Entries of an earlier generation are invalid. Incremented when another process has appended,
    /// which is cheaper than clearing the maps.
    std::uint64_t generation_ = 1;
    std::uint64_t predictions_made_ = 0;
    detail::ByText<Stream> streams_;
    detail::ByText<CachedId> categories_;
    detail::ByText<std::vector<Type>> types_;
};

}  // namespace daybook::postgres
