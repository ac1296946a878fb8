#pragma once

#include "entry.hpp"

namespace daybook::detail {

/// A projection whose model has a database of its own and follows the log.
class AsyncEntry final : public Entry {
public:
    AsyncEntry(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
               const ProjectionRunnerOptions& options)
        : Entry(std::move(store), std::move(definition), Lifecycle::async, options) {}

private:
    std::vector<std::string> make(Sql&) override { return {}; }
    Position position(const Registered& registered) override;
    Fed feed(const Registered& registered) override;
    void with_model(const Registered& registered, const Work& work) override;

    /// False if another build went into service meanwhile.
    bool open(const Registered& registered);
    void open_build(const Registered& registered);
    /// True if another build is in service: this one's database may be gone at any moment.
    bool is_replaced(const Registered& registered) const;
    void close();

    std::unique_ptr<ReadModelDatabase> database_;
    std::unique_ptr<ModelFeed> feed_;
    std::int64_t build_ = 0;  ///< the one that is open
};

}  // namespace daybook::detail
