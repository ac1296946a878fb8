#include "inline_feed.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"

namespace daybook::detail {

namespace {

/// An append cannot wait for a second attempt.
ErrorPolicy without_retries(ErrorPolicy errors) {
    errors.retry = errors.retry.attempts(1);
    return errors;
}

}  // namespace

InlineFeed::InlineFeed(Engine& engine, const Clock& clock,
                       std::shared_ptr<const ProjectionDefinition> definition,
                       std::string fingerprint)
    : engine_(engine),
      definition_(std::move(definition)),
      fingerprint_(std::move(fingerprint)),
      feed_(*definition_, without_retries(definition_->shape().errors), database_, clock, {}, {},
            Home::store) {}

void InlineFeed::feed(Transaction& unit, Position upto) {
    const ProjectionShape& shape = definition_->shape();
    Registry registry{store_sql(unit)};
    const auto registered = registry.find(shape.name);
    const Wanted wanted{shape, Lifecycle::inline_, fingerprint_};
    if (!registered || registered->halted || compare(*registered, wanted) != Standing::current) {
        return;
    }
    database_.enter(unit);
    try {
        feed_.reload();
    } catch (const OtherLogError&) {
        // The runner's next step parts with it; the append is not to blame.
        return;
    }
    const Position target = std::min(upto, unit.head());
    UnitLog log{unit};
    while (feed_.committed().position < target) {
        if (feed_.step(log, target) != ModelFeed::Step::halted) continue;
        const std::string text = feed_.failure_text();
        // Another connection sees what was committed before this unit, and nothing of it.
        if (feed_.failure()->position > PooledReader { engine_ } -> head())
            throw InvalidError(text);
        registry.set_standing(*registered, true, text);
        return;
    }
}

}  // namespace daybook::detail
