#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/sql.hpp"
#include "daybook/projections/error_policy.hpp"

namespace daybook {

/// What the engine has to know of a projection besides what its handlers do.
struct ProjectionShape {
    static constexpr std::size_t name_bytes_max = 100;

    std::string name;  ///< letters, digits, `_`, `-` and `.`
    int version = 1;   ///< raised whenever the handlers would make other rows of the same events
    std::vector<std::string> events;  ///< names of the events it handles
    std::string schema;               ///< statements that make the empty tables
    std::string indexes;  ///< statements that come after the rows in a rebuild; or empty
    ErrorPolicy errors;

    /// Changes with anything above but `errors`, whatever the version says. With upcasters a runner
    /// takes the fingerprint of the shape that names the stored events which they read.
    std::string fingerprint() const;
    /// Throws InvalidError unless all of it can be used.
    void check() const;
};

/// How many rows a fold may keep in memory from one transaction to the next.
struct FoldLimits {
    std::size_t rows_max = 0;   ///< 0: none are kept
    std::size_t bytes_max = 0;  ///< an estimate is compared with it
};

/// The handlers of a projection at work on one read model. Used by one thread at a time.
class ProjectionFold {
public:
    virtual ~ProjectionFold() = default;
    /// Applies one event inside the transaction that is open on `model`. `handler` counts in
    /// `ProjectionShape::events`. What it throws is the event's failure.
    virtual void apply(std::size_t handler, EventView event, Sql& model) = 0;
    /// Writes what is only in memory; the transaction commits after it. What `execute_later` finds
    /// wrong is found before that.
    virtual void flush(Sql&) {}
    /// The transaction was rolled back, or others may write: memory no longer tells the truth.
    virtual void forget() {}
    /// Gathers rows in memory, so that fewer and larger transactions write less.
    virtual bool gathers() const { return false; }
    /// Memory is at its limit: commit now.
    virtual bool full() const { return false; }
};

/// A projection as the engine sees it: the seam between the ways to define one (typed handlers,
/// folds by key, and whatever else can turn events into rows) and the one way to run them.
class ProjectionDefinition {
public:
    virtual ~ProjectionDefinition() = default;
    virtual const ProjectionShape& shape() const = 0;
    /// A fold with nothing in memory. Called from any thread.
    virtual std::unique_ptr<ProjectionFold> fold(FoldLimits limits) const = 0;
};

}  // namespace daybook
