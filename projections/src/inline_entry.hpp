#pragma once

#include "entry.hpp"
#include "inline_feed.hpp"

namespace daybook::detail {

/// A projection whose model stands in the store's own database and is fed inside each append. Steps
/// bring in what programs without it have appended.
class InlineEntry final : public Entry {
public:
    InlineEntry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                const ProjectionRunnerOptions& options);

private:
    std::vector<std::string> make(Sql& store) override;
    Position position(const Registered& registered) override;
    Fed feed(const Registered& registered) override;
    void with_model(const Registered& registered, const Work& work) override;
    void made() override;
    void drop() override {}

    Checkpoint book() const;

    std::shared_ptr<InlineFeed> feed_;
    bool hooked_ = false;         ///< from the first batch on
    std::shared_ptr<void> hook_;  ///< a handle that points at nothing
};

}  // namespace daybook::detail
