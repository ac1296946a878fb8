#include "engine/sqlite/sqlite_engine.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <type_traits>
#include <vector>

#include <unistd.h>

#include "daybook/core/error.hpp"
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

/// A reader of the pool. After an error that may be its connection's own it looks again over a new
/// one before it says so; inside a snapshot, which a new connection would not see, the next one
/// does.
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
        look([&] { events_->read(request, page); });
    }
    Version version(const StreamName& stream) override {
        return look([&] { return events_->version(stream); });
    }
    Position head() override {
        return look([&] { return events_->head(); });
    }
    Sql& sql() override { return *sql_; }
    void begin_snapshot() override {
        connection_->begin(Connection::Begin::deferred);
        in_snapshot_ = true;
    }
    void end_snapshot() noexcept override {
        connection_->rollback();
        in_snapshot_ = false;
    }

    /// Before it is used again.
    void renew_if_needed() {
        if (connection_->trusted() && !connection_->is_outdated()) {
            connection_->take_second_look(false);
        } else {
            connect(connection_->suspects_damage());
        }
    }

private:
    void connect(bool second_look) {
        auto made = std::make_unique<Connection>(path_, Access::read, options_.busy_wait_max);
        guard_.check_file();
        made->take_second_look(second_look);
        made->run("PRAGMA query_only = ON");
        events_.emplace(*made, types_);
        if (sql_) {
            sql_->use(*made);
        } else {
            sql_.emplace(*made);
        }
        connection_ = std::move(made);
    }

    template <class Look>
    std::invoke_result_t<const Look&> look(const Look& look) {
        try {
            return look();
        } catch (const Error& error) {
            const bool may_differ = !connection_->trusted() || error.kind() == ErrorKind::corrupt;
            if (in_snapshot_ || !may_differ) throw;
        }
        connect(connection_->suspects_damage());
        return look();
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
    /// Whoever closes last, of all processes, leaves everything in the file and an empty log.
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
            const std::scoped_lock lock{pool_mutex_};
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
        const std::scoped_lock lock{pool_mutex_};
        free_readers_.push_back(static_cast<SqliteReader*>(&reader));
    }

    std::unique_ptr<WriteTransaction> begin() override {
        fork_mark_.refuse_child(path_);
        return std::make_unique<SqliteTransaction>(
            writer_, [this] { checkpointer_->offer(writer_.wal_pages()); });
    }

    std::vector<AppendOutcome> append_all(AppendRequests requests) override {
        try {
            return append_once(requests);
        } catch (const Error& error) {
            // Nothing is stored, and a second look over a new connection decides what is true.
            const bool one_read_failed =
                error.kind() == ErrorKind::corrupt || writer_.suspects_damage();
            if (!one_read_failed || error.kind() == ErrorKind::in_doubt) throw;
        }
        return append_once(requests);
    }

    std::uint64_t change_token() override {
        fork_mark_.refuse_child(path_);
        const std::scoped_lock lock{watch_mutex_};
        if (!watch_->trusted() || watch_->is_outdated()) {
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
        const std::scoped_lock lock{pool_mutex_};
        free_readers_.reserve(readers_.size() + 1);
        return *readers_.emplace_back(std::move(made));
    }

    // The order matters: the directory goes last, and before it the connection that closes last.
    const std::unique_ptr<ScratchDirectory> scratch_;
    const std::string path_;
    const StoreOptions options_;
    TypeTable& types_;
    const detail::ForkMark fork_mark_;
    FileGuard guard_;
    std::mutex watch_mutex_;
    std::unique_ptr<Connection> watch_;
    std::uint64_t watches_ = 0;  ///< connections before this one
    Writer writer_;
    ReadModelFiles read_models_;
    std::mutex pool_mutex_;
    std::vector<std::unique_ptr<SqliteReader>> readers_;
    std::vector<SqliteReader*> free_readers_;
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
