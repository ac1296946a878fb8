#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_page.hpp"
#include "daybook/projections/projection_definition.hpp"
#include "dispatch.hpp"
#include "handler_sql.hpp"
#include "ledger.hpp"

namespace daybook::detail {

/// What `work` of a handler threw, as a text that can be stored; nothing if it threw nothing. What
/// failed in the engine passes, whatever the handler made of it, and so does an UnavailableError of
/// the handler's own: trying again later is all there is to do.
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

/// Applies pages of the log to a model, inside a transaction that the caller holds, and keeps its
/// accounts.
class Applier {
public:
    Applier(const ProjectionDefinition& definition, FoldLimits limits);

    /// Applies what `page` holds after `book.position` up to `upto` and moves `book` on; what is in
    /// memory is not written yet. An event that fails is returned: roll back and `forget` then.
    std::optional<FailedEvent> apply(const EventPage& page, Position upto, Checkpoint& book,
                                     Sql& model, Timestamp now);
    /// One event again, whatever stands in the book. Returns its error.
    std::optional<std::string> apply_again(const EventPage& page, Sql& model);
    /// Writes what is in memory. Returns what went wrong: the caller does not know with which
    /// event.
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
