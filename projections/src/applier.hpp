#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint_tables.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_page.hpp"
#include "daybook/projections/projection_definition.hpp"
#include "handler_sql.hpp"

namespace daybook::detail {

/// The text of what `work`, a call of handlers, has thrown; nothing if it has thrown nothing. Two
/// kinds of errors are rethrown instead, because only a retry helps: an error of the engine, even
/// if the handler has caught it or replaced it by another, and UnavailableError of the handler.
template <class Work>
std::optional<std::string> error_of(const HandlerSql& sql, Work&& work) {
    std::optional<std::string> text;
    try {
        work();
    } catch (const UnavailableError&) {
        sql.rethrow_failure();
        throw;
    } catch (...) {
        text = error_text(std::current_exception());
    }
    sql.rethrow_failure();
    return text;
}

/// Finds the handler of an event: one access to a vector per event.
class Dispatch {
public:
    static constexpr int none = -1;

    explicit Dispatch(std::vector<std::string> events) : events_(std::move(events)) {}

    int handler(const TypeEntry& type) {
        if (type.number < slots_.size() && slots_[type.number].type == &type) {
            return slots_[type.number].handler;
        }
        return resolve(type);
    }

private:
    struct Slot {
        const TypeEntry* type = nullptr;
        int handler = none;
    };

    int resolve(const TypeEntry& type);

    std::vector<std::string> events_;
    std::vector<Slot> slots_;
};

/// Applies pages of the log to a model, inside a transaction that the caller holds, and counts the
/// events in its checkpoint.
class Applier {
public:
    Applier(const ProjectionDefinition& definition, FoldLimits limits);

    /// Applies the events of `page` after `checkpoint.position` up to `upto` and advances
    /// `checkpoint`. Rows that the fold holds in memory are written by `flush`. Returns the event
    /// that fails: the caller must roll back and `forget` then, as the events before it on the
    /// page are applied and not counted.
    std::optional<FailedEvent> apply(const EventPage& page, Position upto, Checkpoint& checkpoint,
                                     Sql& model, Timestamp now);
    /// Applies a page with one parked event and flushes. Returns its error.
    std::optional<std::string> replay(const EventPage& page, Sql& model);
    /// Writes the rows that are in memory. Returns the error; nothing tells which event caused it.
    std::optional<std::string> flush(Sql& model);
    void forget() { fold_->forget(); }

    const ProjectionShape& shape() const noexcept { return shape_; }
    const ProjectionFold& fold() const noexcept { return *fold_; }

private:
    const ProjectionShape& shape_;
    std::unique_ptr<ProjectionFold> fold_;
    Dispatch dispatch_;
};

}  // namespace daybook::detail
