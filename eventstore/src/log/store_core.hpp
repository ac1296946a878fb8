#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "engine/type_table.hpp"
#include "log/commit_queue.hpp"
#include "log/commit_signal.hpp"
#include "log/page_pool.hpp"
#include "values/fork_mark.hpp"

namespace daybook {

/// What the handles of one open store share.
class StoreCore {
public:
    StoreCore(std::string_view uri, StoreOptions options);

    /// Throws InvalidError for what a program can never append.
    void check(const StreamName& stream, std::span<const NewEvent> events) const;
    static void check_not_reserved(const StreamName& stream);
    AppendOutcome append(const StreamName& stream, ExpectedVersion expected,
                         std::span<const NewEvent> events);
    std::future<AppendResult> append_async(StreamName stream, ExpectedVersion expected,
                                           std::vector<NewEvent> events);
    CommitResult transact(const std::function<void(Transaction&)>& unit, const Trace& trace);
    void query(const std::function<void(Sql&)>& look);
    /// The same without a look at the statements.
    void query_unchecked(const std::function<void(Sql&)>& look);

    /// Pages from `reader`, upcast by the catalog. Both must outlive the source; without a reader,
    /// each page takes one of the pool.
    std::unique_ptr<PageSource> stream_pages(const StreamName& stream, const StreamRead& options,
                                             Reader* reader = nullptr);
    std::unique_ptr<PageSource> log_pages(const LogRead& options, Reader* reader = nullptr);
    /// One page, upcast. May be empty before the end, where upcasters drop events.
    void read_page(const PageRequest& request, EventPage& page, Reader* reader = nullptr);

    std::shared_ptr<void> add_commit_hook(CommitHook hook);

    const Clock& clock() const {
        return options.clock != nullptr ? *options.clock : engine->clock();
    }

    const detail::ForkMark fork_mark;
    const std::string uri;
    const StoreOptions options;

private:
    using HookList = std::vector<std::shared_ptr<const CommitHook>>;

    std::shared_ptr<const HookList> hooks() const;
    bool upcasts() const noexcept;
    void run_hooks(Transaction& transaction) const;
    void upcast(const PageRequest& request, EventPage& page);

    TypeTable types_;

public:
    const std::unique_ptr<Engine> engine;
    CommitSignal signal;
    const std::shared_ptr<PagePool> pages = std::make_shared<PagePool>();

private:
    mutable std::mutex hooks_mutex_;
    std::shared_ptr<const HookList> hooks_ = std::make_shared<const HookList>();
    CommitQueue queue_;
};

}  // namespace daybook
