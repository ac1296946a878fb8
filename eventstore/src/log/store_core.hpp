#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "engine/type_table.hpp"
#include "log/commit_queue.hpp"
#include "log/commit_signal.hpp"
#include "log/page_pool.hpp"
#include "values/fork_mark.hpp"

namespace daybook {

/// An open store. All its handles share one.
class StoreCore {
public:
    StoreCore(std::string_view uri, StoreOptions options);

    /// Throws InvalidError for events that can never be appended, and for reserved streams.
    void check(const StreamName& stream, std::span<const NewEvent> events) const;
    static void check_not_reserved(const StreamName& stream);
    AppendOutcome append(const StreamName& stream, ExpectedVersion expected,
                         std::span<const NewEvent> events);
    std::future<AppendResult> append_async(StreamName stream, ExpectedVersion expected,
                                           std::vector<NewEvent> events);
    CommitResult transact(const std::function<void(Transaction&)>& work, const Trace& trace);
    void query(const std::function<void(Sql&)>& read);
    /// The same without a check of the statements.
    void query_unchecked(const std::function<void(Sql&)>& read);

    /// Pages of upcast events, read over `reader`, which must outlive the source, as this must.
    /// Without a reader, each page is read over one of the pool.
    std::unique_ptr<PageSource> stream_pages(const StreamName& stream, const StreamRead& options,
                                             Reader* reader = nullptr);
    std::unique_ptr<PageSource> log_pages(const LogRead& options, Reader* reader = nullptr);
    /// One page of upcast events. It may be empty before the end if upcasters drop events.
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
    mutable Mutex hooks_mutex_;
    std::shared_ptr<const HookList> hooks_ DAYBOOK_GUARDED_BY(hooks_mutex_) =
        std::make_shared<const HookList>();
    CommitQueue queue_;
};

}  // namespace daybook
