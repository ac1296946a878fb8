#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/pragmas.hpp"
#include "engine/sqlite/writer.hpp"

namespace daybook::sqlite {

/// Keeps the write-ahead log short, on a thread of its own so that no commit pays for it. In
/// service the log is cut only after a reader has made it grow beyond its limit: writing into
/// recycled pages is much cheaper than growing a file.
class Checkpointer {
public:
    Checkpointer(std::string path, Writer& writer, const StoreOptions& options);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    /// Told after each commit how long the log is now.
    void offer(int wal_pages) noexcept;

private:
    /// A log of 256 MiB: a reader holds an old state of the store.
    static constexpr int wal_pages_warned = 32'768;
    /// A log beyond this is begun anew, and so cut, without waiting for a commit.
    static constexpr int wal_pages_cut = 2 * wal_pages_max;
    /// How often a log is looked at that a reader kept from being checkpointed whole.
    static constexpr std::chrono::milliseconds next_look{500};

    void run();
    void checkpoint_once() noexcept;
    Checkpointed copy_log();
    /// Commits nothing new, which begins the log anew; what is over its limit is cut off.
    void restart_log(Connection& writer);
    void plan(const Checkpointed& done);
    void warn(const Checkpointed& done);

    const std::string path_;
    Writer& writer_;
    const StoreOptions options_;
    std::optional<Connection> connection_;  ///< only the thread's
    bool warned_ = false;                   ///< only the thread's
    int copied_before_ = 0;                 ///< only the thread's
    std::atomic<int> due_at_pages_;
    std::mutex mutex_;
    std::condition_variable wanted_changed_;
    bool wanted_ = false;
    bool unfinished_ = false;  ///< a reader was in the way
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace daybook::sqlite
