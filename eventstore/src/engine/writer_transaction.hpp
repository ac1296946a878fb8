#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "daybook/eventstore/engine.hpp"

namespace daybook::detail {

/// The seam's write transaction over an engine's `Writer`. It holds the writer's lock while it
/// lives. The engine's subclass appends the events.
template <class Writer>
class WriterTransaction : public WriteTransaction {
public:
    /// `after_commit` is called after the lock was released.
    WriterTransaction(Writer& writer, std::function<void()> after_commit)
        : writer_(writer), lock_(writer.mutex), after_commit_(std::move(after_commit)) {
        writer_.begin();
    }
    ~WriterTransaction() override {
        if (open_) writer_.rollback();
    }

    void read(const PageRequest& request, EventPage& page) override {
        writer_.reader().read(request, page);
    }
    Version version(const StreamName& stream) override { return writer_.reader().version(stream); }
    Position head() override { return writer_.reader().head(); }
    Sql& sql() override { return writer_.sql(); }
    void begin_snapshot() noexcept override {}
    void end_snapshot() noexcept override {}
    void require_open() const override {
        if constexpr (requires { writer_.require_open(); }) writer_.require_open();
    }
    void savepoint() override { writer_.savepoint(); }
    void release_savepoint() override { writer_.release_savepoint(); }
    void rollback_to_savepoint() override { writer_.rollback_to_savepoint(); }
    void commit() override {
        writer_.commit();
        open_ = false;
        lock_.unlock();
        after_commit_();
    }

protected:
    Writer& writer() noexcept { return writer_; }

private:
    Writer& writer_;
    std::unique_lock<std::mutex> lock_;
    std::function<void()> after_commit_;
    bool open_ = true;
};

}  // namespace daybook::detail
