#include "sqlite/checkpointer.hpp"

#include "daybook/core/error.hpp"
#include "sqlite/pragmas.hpp"

namespace daybook::sqlite {

Checkpointer::Checkpointer(std::string path, Writer& writer, const EngineOptions& options)
    : path_(std::move(path)), writer_(writer), options_(options), thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    wanted_changed_.notify_one();
    thread_.join();
    if (writer_.wal_pages() == 0) return;
    checkpoint_once();
    restart_log();
}

void Checkpointer::offer(int wal_pages) noexcept {
    if (wal_pages < wal_pages_max) return;
    {
        const std::scoped_lock lock{mutex_};
        if (wanted_) return;
        wanted_ = true;
    }
    wanted_changed_.notify_one();
}

void Checkpointer::run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        wanted_changed_.wait(lock, [this] { return wanted_ || stopping_; });
        if (!wanted_) continue;
        lock.unlock();
        checkpoint_once();
        lock.lock();
        wanted_ = false;
    }
}

void Checkpointer::checkpoint_once() noexcept {
    try {
        if (!connection_) {
            connection_.emplace(path_, false, options_.busy_wait_max);
            set_durability(*connection_, options_.durability);
        }
        if (!checkpoint_must_exclude_commits()) {
            checkpoint(*connection_);
            return;
        }
        const std::scoped_lock no_commits{writer_.mutex};
        checkpoint_excluding_commits(writer_.connection(), *connection_);
    } catch (const std::exception& error) {
        // The log only grows a little longer; the next commit asks again.
        if (options_.log) options_.log(LogLevel::warning, error.what());
    }
}

void Checkpointer::restart_log() noexcept {
    try {
        const std::scoped_lock lock{writer_.mutex};
        Connection& writer = writer_.connection();
        writer.run("BEGIN IMMEDIATE");
        write_nothing_new(writer);
        writer.run("COMMIT");
    } catch (const std::exception& error) {
        if (options_.log) options_.log(LogLevel::warning, error.what());
    }
}

}  // namespace daybook::sqlite
