#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/engine.hpp"

namespace daybook::detail {

/// The seam's write transaction over an engine's `Writer`. It holds the writer's lock while it
/// lives. The engine's subclass appends the events.
template <class Writer>
class WriterTransaction : public WriteTransaction {
public:
    /// `after_commit` is called after the lock was released.
    WriterTransaction(Writer& writer, std::function<void()> after_commit)
        : writer_(writer),
          lock_(std::in_place, writer.mutex),
          after_commit_(std::move(after_commit)) {
        writer_.begin();
    }
    ~WriterTransaction() override {
        if (open_) writer_.rollback();
    }

    void read(const PageRequest& request, EventPage& page) override {
        writer().reader().read(request, page);
    }
    Version version(const StreamName& stream) override { return writer().reader().version(stream); }
    Position head() override { return writer().reader().head(); }
    Sql& sql() override { return writer().sql(); }
    void begin_snapshot() noexcept override {}
    void end_snapshot() noexcept override {}
    void require_open() const override {
        if constexpr (requires { writer_.require_open(); }) writer().require_open();
    }
    void savepoint() override { writer().savepoint(); }
    void release_savepoint() override { writer().release_savepoint(); }
    void rollback_to_savepoint() override { writer().rollback_to_savepoint(); }
    void commit() override {
        writer().commit();
        open_ = false;
        lock_.reset();
        after_commit_();
    }

protected:
    /// Under its mutex, as this object has it locked.
    Writer& writer() const noexcept DAYBOOK_ASSERTS(writer().mutex) { return writer_; }

private:
    Writer& writer_;
    std::optional<MutexLock> lock_;  ///< until the commit
    std::function<void()> after_commit_;
    bool open_ = true;
};

}  // namespace daybook::detail
