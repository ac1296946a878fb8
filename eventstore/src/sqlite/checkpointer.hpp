#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daybook/eventstore/engine.hpp"
#include "sqlite/writer.hpp"

namespace daybook::sqlite {

/// Keeps the write-ahead log short, on a thread of its own so that no commit pays for it. The log
/// is never truncated in service: writing into recycled pages is much cheaper than growing a file.
class Checkpointer {
public:
    Checkpointer(std::string path, Writer& writer, const EngineOptions& options);
    /// Checkpoints a last time, so that the database file alone holds everything.
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    /// Told after each commit how long the log is now.
    void offer(int wal_pages) noexcept;

private:
    static constexpr int wal_pages_max = 12'000;

    void run();
    void checkpoint_once() noexcept;
    /// The first commit after a checkpoint of everything begins the log anew. It has to come before
    /// the last process leaves, with whom it is forgotten how far the checkpoint came: programs
    /// that only ever run for a moment would make the log longer each time.
    void restart_log() noexcept;

    const std::string path_;
    Writer& writer_;
    const EngineOptions options_;
    std::optional<Connection> connection_;  ///< only the thread's, then the destructor's
    std::mutex mutex_;
    std::condition_variable wanted_changed_;
    bool wanted_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace daybook::sqlite
