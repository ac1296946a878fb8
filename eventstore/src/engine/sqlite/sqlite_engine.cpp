#include "engine/sqlite/sqlite_engine.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <type_traits>
#include <vector>

#include <unistd.h>

#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "engine/sqlite/checkpointer.hpp"
#include "engine/sqlite/connection.hpp"
#include "engine/sqlite/event_reader.hpp"
#include "engine/sqlite/file_guard.hpp"
#include "engine/sqlite/pragmas.hpp"
#include "engine/sqlite/read_model_files.hpp"
#include "engine/sqlite/store_file.hpp"
#include "engine/sqlite/writer.hpp"
#include "engine/writer_transaction.hpp"

namespace daybook::sqlite {

namespace {

/// A reader of the pool. After an error that may be one of its connection, it repeats the read on a
/// new connection before it reports the error. It cannot do so inside a snapshot, which a new
/// connection would not see; `renew_if_needed` replaces the connection afterwards.
class SqliteReader final : public Reader {
public:
    SqliteReader(const std::string& path, const FileGuard& guard, const StoreOptions& options,
                 TypeTable& types)
        : path_(path), guard_(guard), options_(options), types_(types) {
        try {
            connect(false);
        } catch (const Error&) {
            connect(true);
        }
    }

    void read(const PageRequest& request, EventPage& page) override {
        with_retry([&] { events_->read(request, page); });
    }
    Version version(const StreamName& stream) override {
        return with_retry([&] { return events_->version(stream); });
    }
    Position head() override {
        return with_retry([&] { return events_->head(); });
    }
    Sql& sql() override { return *sql_; }
    void begin_snapshot() override {
        connection_->begin(Connection::TransactionType::deferred);
        in_snapshot_ = true;
    }
    void end_snapshot() noexcept override {
        connection_->rollback();
        in_snapshot_ = false;
    }

    /// Called before the reader is used again.
    void renew_if_needed() {
        if (connection_->usable() && !connection_->is_outdated()) {
            connection_->confirm_damage(false);
        } else {
            connect(connection_->suspects_damage());
        }
    }

private:
    void connect(bool confirms_damage) {
        auto made = std::make_unique<Connection>(path_, Access::read, options_.busy_wait_max);
        guard_.check_file();
        made->confirm_damage(confirms_damage);
        made->run("PRAGMA query_only = ON");
        events_.emplace(*made, types_);
        if (sql_) {
            sql_->use(*made);
        } else {
            sql_.emplace(*made);
        }
        connection_ = std::move(made);
    }

    template <class Read>
    std::invoke_result_t<const Read&> with_retry(const Read& read) {
        try {
            return read();
        } catch (const Error& error) {
            const bool may_differ = !connection_->usable() || error.kind() == ErrorKind::corrupt;
            if (in_snapshot_ || !may_differ) throw;
        }
        connect(connection_->suspects_damage());
        return read();
    }

    const std::string& path_;
    const FileGuard& guard_;
    const StoreOptions& options_;
    TypeTable& types_;
    std::unique_ptr<Connection> connection_;
    std::optional<EventReader> events_;
    std::optional<ConnectionSql> sql_;
    bool in_snapshot_ = false;
};

class SqliteTransaction final : public detail::WriterTransaction<Writer> {
public:
    using WriterTransaction::WriterTransaction;

    AppendOutcome append(const AppendRequest& request) override { return writer().append(request); }
    std::vector<AppendOutcome> append_all(AppendRequests requests) override {
        std::vector<AppendOutcome> outcomes;
        outcomes.reserve(requests.size());
        for (const AppendRequest* request : requests) outcomes.push_back(append(*request));
        return outcomes;
    }
};

/// A temporary directory, removed with the object. It holds the file of a `:memory:` store:
/// SQLite's own memory databases have no write-ahead log and would behave differently under
/// concurrency.
class ScratchDirectory {
public:
    ScratchDirectory() {
        std::error_code ignored;
        const char* const shared_memory =
            std::filesystem::is_directory("/dev/shm", ignored) && ::access("/dev/shm", W_OK) == 0
                ? "/dev/shm"
                : nullptr;
        path_ = shared_memory != nullptr ? shared_memory
                                         : std::filesystem::temp_directory_path().string();
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
                 const StoreOptions& options, TypeTable& types)
        : scratch_(std::move(scratch)),
          path_(std::move(path)),
          options_(options),
          types_(types),
          guard_(path_),
          watch_(std::make_unique<Connection>(path_, Access::read, options.busy_wait_max)),
          writer_(path_, guard_, types_, options.durability, options.busy_wait_max),
          read_models_(path_, options_),
          checkpointer_(std::in_place, path_, writer_, options_) {
        const std::string warning = guard_.warning();
        if (!warning.empty() && options_.log) options_.log(LogLevel::warning, warning);
    }
    /// The last of all processes that closes the store leaves everything in the file and an empty
    /// log.
    ~SqliteEngine() override {
        checkpointer_.reset();
        readers_.clear();
        writer_.close();
        if (!scratch_) close_last(*watch_, options_.durability);
    }

    Reader& acquire() override {
        fork_mark_.refuse_child(path_);
        SqliteReader* reader = nullptr;
        {
            const MutexLock lock{pool_mutex_};
            if (!free_readers_.empty()) {
                reader = free_readers_.back();
                free_readers_.pop_back();
            }
        }
        if (reader == nullptr) return add_reader();
        try {
            reader->renew_if_needed();
        } catch (...) {
            release(*reader);
            throw;
        }
        return *reader;
    }

    void release(Reader& reader) noexcept override {
        const MutexLock lock{pool_mutex_};
        free_readers_.push_back(static_cast<SqliteReader*>(&reader));
    }

    std::unique_ptr<WriteTransaction> begin() override {
        fork_mark_.refuse_child(path_);
        return std::make_unique<SqliteTransaction>(
            writer_, [this] { checkpointer_->after_commit(writer_.wal_pages()); });
    }

    std::vector<AppendOutcome> append_all(AppendRequests requests) override {
        try {
            return append_once(requests);
        } catch (const Error& error) {
            // Nothing is stored. The group is appended again on a new connection: either the read
            // had failed by accident, or the damage is confirmed.
            const MutexLock lock{writer_.mutex};
            const bool one_read_failed =
                error.kind() == ErrorKind::corrupt || writer_.suspects_damage();
            if (!one_read_failed || error.kind() == ErrorKind::in_doubt) throw;
        }
        return append_once(requests);
    }

    std::uint64_t change_token() override {
        fork_mark_.refuse_child(path_);
        const MutexLock lock{watch_mutex_};
        if (!watch_->usable() || watch_->is_outdated()) {
            watch_ = std::make_unique<Connection>(path_, Access::read, options_.busy_wait_max);
            guard_.check_file();
            ++watches_;
        }
        return (watches_ << 32) +
               static_cast<std::uint64_t>(watch_->integer("PRAGMA data_version"));
    }

    ReadModelDatabases& read_models() override { return read_models_; }

    std::string description() const override {
        return "sqlite " + std::string(sqlite3_libversion()) +
               (checkpoint_must_exclude_commits() ? ", checkpoints exclude commits"
                                                  : ", checkpoints beside commits");
    }

private:
    std::vector<AppendOutcome> append_once(AppendRequests requests) {
        const auto transaction = begin();
        std::vector<AppendOutcome> outcomes = transaction->append_all(requests);
        transaction->commit();
        return outcomes;
    }

    Reader& add_reader() {
        auto made = std::make_unique<SqliteReader>(path_, guard_, options_, types_);
        const MutexLock lock{pool_mutex_};
        free_readers_.reserve(readers_.size() + 1);
        return *readers_.emplace_back(std::move(made));
    }

    // The order matters. Members are destroyed from the last to the first: the directory goes after
    // all connections, and `watch_`, which empties the log, after all other connections.
    const std::unique_ptr<ScratchDirectory> scratch_;
    const std::string path_;
    const StoreOptions options_;
    TypeTable& types_;
    const detail::ForkMark fork_mark_;
    FileGuard guard_;
    Mutex watch_mutex_;
    std::unique_ptr<Connection> watch_ DAYBOOK_GUARDED_BY(watch_mutex_);
    /// Connections before this one.
    std::uint64_t watches_ DAYBOOK_GUARDED_BY(watch_mutex_) = 0;
    Writer writer_;
    ReadModelFiles read_models_;
    Mutex pool_mutex_;
    std::vector<std::unique_ptr<SqliteReader>> readers_ DAYBOOK_GUARDED_BY(pool_mutex_);
    std::vector<SqliteReader*> free_readers_ DAYBOOK_GUARDED_BY(pool_mutex_);
    std::optional<Checkpointer> checkpointer_;
};

}  // namespace

std::unique_ptr<Engine> open_engine(const std::string& path, const StoreOptions& options,
                                    TypeTable& types) {
    std::unique_ptr<ScratchDirectory> scratch;
    std::string file = path;
    StoreOptions actual = options;
    if (path == ":memory:") {
        scratch = std::make_unique<ScratchDirectory>();
        file = scratch->path() + "/store.db";
        actual.create = true;
        actual.durability = Durability::off;
    }
    file = prepare_store_file(file, actual);
    return std::make_unique<SqliteEngine>(std::move(scratch), std::move(file), actual, types);
}

}  // namespace daybook::sqlite
