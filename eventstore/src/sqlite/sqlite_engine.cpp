#include "sqlite/sqlite_engine.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include <unistd.h>

#include "daybook/core/error.hpp"
#include "sqlite/checkpointer.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/event_reader.hpp"
#include "sqlite/pragmas.hpp"
#include "sqlite/read_model_files.hpp"
#include "sqlite/store_file.hpp"
#include "sqlite/writer.hpp"
#include "writer_transaction.hpp"

namespace daybook::sqlite {

namespace {

class SqliteReader final : public Reader {
public:
    SqliteReader(const std::string& path, const EngineOptions& options, TypeTable& types)
        : connection_(path, false, options.busy_wait_max),
          events_(connection_, types),
          sql_(connection_) {
        connection_.run("PRAGMA query_only = ON");
    }

    void read(const PageRequest& request, EventPage& page) override { events_.read(request, page); }
    Version version(const StreamName& stream) override { return events_.version(stream); }
    Position head() override { return events_.head(); }
    Sql& sql() override { return sql_; }
    void begin_snapshot() override { connection_.run("BEGIN"); }
    void end_snapshot() noexcept override { connection_.rollback(); }

private:
    Connection connection_;
    EventReader events_;
    ConnectionSql sql_;
};

class SqliteTransaction final : public detail::WriterTransaction<Writer> {
public:
    using WriterTransaction::WriterTransaction;

    AppendOutcome append(const AppendRequest& request) override { return writer().append(request); }
};

/// A directory that is gone with the object: what `:memory:` lives in. SQLite's own memory
/// databases have no write-ahead log, so they would behave differently under concurrency.
class ScratchDirectory {
public:
    ScratchDirectory() {
        std::error_code ignored;
        const char* const place =
            std::filesystem::is_directory("/dev/shm", ignored) && ::access("/dev/shm", W_OK) == 0
                ? "/dev/shm"
                : nullptr;
        path_ = place != nullptr ? place : std::filesystem::temp_directory_path().string();
        path_ += "/daybook-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) {
            throw StorageError("store ':memory:': " + path_ + " cannot be made");
        }
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

class SqliteEngine final : public Engine {
public:
    SqliteEngine(std::unique_ptr<ScratchDirectory> scratch, std::string path,
                 const EngineOptions& options, TypeTable& types)
        : scratch_(std::move(scratch)),
          path_(std::move(path)),
          options_(options),
          types_(types),
          writer_(path_, types, options.durability, options.busy_wait_max),
          watch_(path_, false, options.busy_wait_max),
          read_models_(path_ + "-rm", options),
          checkpointer_(path_, writer_, options) {}

    Reader& acquire() override {
        {
            const std::scoped_lock lock{pool_mutex_};
            if (!free_readers_.empty()) {
                Reader& reader = *free_readers_.back();
                free_readers_.pop_back();
                return reader;
            }
        }
        auto made = std::make_unique<SqliteReader>(path_, options_, types_);
        const std::scoped_lock lock{pool_mutex_};
        free_readers_.reserve(readers_.size() + 1);
        return *readers_.emplace_back(std::move(made));
    }

    void release(Reader& reader) noexcept override {
        const std::scoped_lock lock{pool_mutex_};
        free_readers_.push_back(&reader);
    }

    std::unique_ptr<WriteTransaction> begin() override {
        return std::make_unique<SqliteTransaction>(
            writer_, [this] { checkpointer_.offer(writer_.wal_pages()); });
    }

    std::uint64_t change_token() override {
        const std::scoped_lock lock{watch_mutex_};
        return static_cast<std::uint64_t>(watch_.integer("PRAGMA data_version"));
    }

    ReadModelDatabases& read_models() override { return read_models_; }

    std::string description() const override {
        return "sqlite " + std::string(sqlite3_libversion()) +
               (checkpoint_must_exclude_commits() ? ", checkpoints exclude commits"
                                                  : ", checkpoints beside commits");
    }

private:
    // The order matters: the directory goes last, the checkpointer first.
    const std::unique_ptr<ScratchDirectory> scratch_;
    const std::string path_;
    const EngineOptions options_;
    TypeTable& types_;
    Writer writer_;
    std::mutex watch_mutex_;
    Connection watch_;
    ReadModelFiles read_models_;
    std::mutex pool_mutex_;
    std::vector<std::unique_ptr<Reader>> readers_;
    std::vector<Reader*> free_readers_;
    Checkpointer checkpointer_;
};

}  // namespace

std::unique_ptr<Engine> open_engine(const std::string& path, const EngineOptions& options,
                                    TypeTable& types) {
    std::unique_ptr<ScratchDirectory> scratch;
    std::string file = path;
    EngineOptions actual = options;
    if (path == ":memory:") {
        scratch = std::make_unique<ScratchDirectory>();
        file = scratch->path() + "/store.db";
        actual.create = true;
        actual.durability = Durability::off;
    }
    prepare_store_file(file, actual);
    return std::make_unique<SqliteEngine>(std::move(scratch), std::move(file), actual, types);
}

}  // namespace daybook::sqlite
