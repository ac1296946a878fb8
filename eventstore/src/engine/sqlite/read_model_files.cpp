#include "engine/sqlite/read_model_files.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <sys/stat.h>

#include "daybook/core/error.hpp"
#include "engine/names.hpp"
#include "engine/sqlite/connection.hpp"
#include "engine/sqlite/file_guard.hpp"
#include "engine/sqlite/model_move.hpp"
#include "engine/sqlite/pragmas.hpp"

namespace daybook::sqlite {

namespace {

constexpr std::string_view file_ending = ".db";

/// Identifies the file that has this name now.
std::optional<std::pair<dev_t, ino_t>> file_at(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return std::pair{found.st_dev, found.st_ino};
}

class ReadModelFile final : public ReadModelDatabase {
public:
    ReadModelFile(std::string path, ReadModelUse use, const StoreOptions& options)
        : options_(options), use_(use), path_(std::move(path)) {
        connect();
        file_ = file_at(path_);
    }

    ~ReadModelFile() override {
        rollback();
        checkpointer_.reset();
        close_last(*connection_, Durability::normal);
    }

    Sql& sql() override { return *sql_; }
    void begin() override {
        // What is written into a file that was removed or replaced would be lost when this program
        // ends. A query may go on reading a removed file.
        const auto now = file_at(path_);
        if (now != file_ && (now || use_ != ReadModelUse::query)) throw_missing();
        try {
            if (!connection_->usable()) connect();
            if (use_ == ReadModelUse::query) {
                connection_->begin(Connection::TransactionType::deferred);
                connection_->integer("SELECT 1 FROM sqlite_schema");  // takes the snapshot
            } else {
                connection_->begin(Connection::TransactionType::immediate);
            }
        } catch (const Error&) {
            rollback();
            if (file_at(path_) == file_) throw;
            throw_missing();
        }
    }
    void commit() override {
        connection_->commit();
        connection_->confirm_damage(false);
        if (wal_pages_ >= wal_pages_max) checkpoint_now();
    }
    void rollback() noexcept override { connection_->rollback(); }
    void require_own() override {
        const auto made = sql_->text("SELECT type || ' ' || name FROM sqlite_temp_schema");
        if (!made) return;
        throw InvalidError("temporary " + *made +
                           " would be gone with the connection: make it without TEMP");
    }
    void finish_build() override {
        set_durability(*connection_, options_.durability);
        checkpoint_now();
    }

private:
    static constexpr int wal_pages_max = 4'000;

    [[noreturn]] void throw_missing() const {
        throw NotFoundError("read model '" + path_ + "' is no longer there: open the newer one");
    }

    void connect() {
        const bool queries = use_ == ReadModelUse::query;
        auto made = std::make_unique<Connection>(path_, queries ? Access::read : Access::write,
                                                 options_.busy_wait_max);
        made->confirm_damage(connection_ && connection_->suspects_damage());
        if (queries) {
            made->run("PRAGMA query_only = ON");
        } else {
            prepare_to_write(*made);
        }
        if (sql_) {
            sql_->use(*made);
        } else {
            sql_.emplace(*made);
        }
        connection_ = std::move(made);
        file_ = file_at(path_);
    }

    void prepare_to_write(Connection& connection) {
        enable_wal(connection, std::chrono::steady_clock::now() + options_.busy_wait_max);
        connection.gather_commits();
        // NORMAL is enough: after a power loss the model is older, its checkpoint is so too, and
        // the lost events are applied again.
        set_durability(connection, options_.durability == Durability::off ? Durability::off
                                                                          : Durability::normal);
        connection.run("PRAGMA temp_store = MEMORY");
        connection.run("PRAGMA cache_size = -65536");
        sqlite3_wal_hook(
            connection.handle(),
            [](void* self, sqlite3*, const char*, int pages) {
                static_cast<ReadModelFile*>(self)->wal_pages_ = pages;
                return SQLITE_OK;
            },
            this);
    }

    void checkpoint_now() {
        if (!checkpointer_) {
            checkpointer_.emplace(path_, Access::write, options_.busy_wait_max);
            set_durability(*checkpointer_, options_.durability);
        }
        if (checkpoint_must_exclude_commits()) {
            checkpoint_excluding_commits(*connection_, *checkpointer_);
        } else {
            checkpoint(*checkpointer_);
        }
        wal_pages_ = 0;
    }

    const StoreOptions options_;
    const ReadModelUse use_;
    const std::string path_;
    std::unique_ptr<Connection> connection_;
    std::optional<ConnectionSql> sql_;
    std::optional<Connection> checkpointer_;
    std::optional<std::pair<dev_t, ino_t>> file_;  ///< the file that was opened
    int wal_pages_ = 0;
};

}  // namespace

ReadModelFiles::ReadModelFiles(std::string store, StoreOptions options)
    : store_(std::move(store)), directory_(store_ + "-rm"), options_(std::move(options)) {}

std::unique_ptr<ReadModelDatabase> ReadModelFiles::open(std::string_view name, ReadModelUse use) {
    fork_mark_.refuse_child(store_);
    const std::string path = path_of(name);
    keep_as_private(directory_, store_);
    if (use == ReadModelUse::build) {
        make_directory_like(store_, directory_);
        make_file_like(store_, path);
    }
    for (const char* part : {"", "-wal", "-shm"}) keep_as_private(path + part, store_);
    if (!std::filesystem::exists(path)) {
        throw NotFoundError("read model '" + std::string(name) +
                            "' is not there: run the projection first");
    }
    return std::make_unique<ReadModelFile>(path, use, options_);
}

void ReadModelFiles::remove(std::string_view name) {
    const std::string path = path_of(name);
    keep_as_private(directory_, store_);
    std::error_code ignored;
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path + part, ignored);
}

std::vector<std::string> ReadModelFiles::list() {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
        if (entry.path().extension() == file_ending) names.push_back(entry.path().stem().string());
    }
    return names;
}

std::vector<std::string> ReadModelFiles::move_into_store(std::string_view name, Sql& store) {
    const std::string path = path_of(name);
    if (!std::filesystem::exists(path)) {
        throw NotFoundError("read model '" + std::string(name) + "' is not there: build it first");
    }
    return copy_model(path, dynamic_cast<ConnectionSql&>(store));
}

void ReadModelFiles::drop_from_store(const std::vector<std::string>& objects, Sql& store) {
    drop_model(objects, store);
}

std::string ReadModelFiles::path_of(std::string_view name) const {
    check_read_model_name(name);
    return directory_ + "/" + std::string(name) + std::string(file_ending);
}

}  // namespace daybook::sqlite
