#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/sql.hpp"
#include "daybook/projections/error_policy.hpp"

namespace daybook {

/// Everything about a projection but the code of its handlers.
struct ProjectionShape {
    static constexpr std::size_t name_bytes_max = 100;

    std::string name;  ///< letters, digits, `_`, `-` and `.`
    int version = 1;   ///< raise it when the handlers would make other rows from the same events
    std::vector<std::string> events;  ///< names of the events it handles
    std::string schema;               ///< statements that make the empty tables
    std::string indexes;  ///< statements that a rebuild runs after the rows are there; or empty
    ErrorPolicy errors;

    /// Depends on name, events, schema and indexes. If the store has upcasters, a runner replaces
    /// `events` by the stored events that are upcast to them before it takes the fingerprint.
    std::string fingerprint() const;
    /// Throws InvalidError unless all of it is valid.
    void check() const;
};

/// How many rows a fold may keep in memory from one transaction to the next.
struct FoldLimits {
    std::size_t rows_max = 0;   ///< 0: none are kept
    std::size_t bytes_max = 0;  ///< compared with an estimate
};

/// The handlers of a projection, with what they hold in memory of one model. Used by one thread at
/// a time.
class ProjectionFold {
public:
    virtual ~ProjectionFold() = default;
    /// Applies one event inside the transaction that is open on `model`. `handler` is an index into
    /// `ProjectionShape::events`. An exception is the failure of the event.
    virtual void apply(std::size_t handler, EventView event, Sql& model) = 0;
    /// Writes the rows that are only in memory; the transaction commits after it. Errors of
    /// `execute_later` surface before the commit.
    virtual void flush(Sql&) {}
    /// Drops the rows in memory: the transaction was rolled back, or another process may have
    /// changed the table.
    virtual void forget() {}
    /// True if it keeps rows in memory, so that larger transactions write fewer rows.
    virtual bool gathers() const { return false; }
    /// True if memory is at its limit: commit now.
    virtual bool full() const { return false; }
};

/// A projection as a runner sees it. Projection and KeyedProjection implement it; other ways to
/// turn events into rows can do the same.
class ProjectionDefinition {
public:
    virtual ~ProjectionDefinition() = default;
    virtual const ProjectionShape& shape() const = 0;
    /// Creates a fold with nothing in memory. Called from any thread.
    virtual std::unique_ptr<ProjectionFold> fold(FoldLimits limits) const = 0;
};

}  // namespace daybook
