#include "sqlite/read_model_files.hpp"

#include <filesystem>
#include <optional>

#include "daybook/core/error.hpp"
#include "read_model_name.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/pragmas.hpp"

namespace daybook::sqlite {

namespace {

constexpr std::string_view file_ending = ".db";
constexpr int wal_pages_max = 4'000;

class ReadModelFile final : public ReadModelDatabase {
public:
    ReadModelFile(const std::string& path, ReadModelUse use, const EngineOptions& options)
        : options_(options),
          use_(use),
          connection_(path, use == ReadModelUse::build, options.busy_wait_max),
          sql_(connection_) {
        if (use == ReadModelUse::query) {
            connection_.run("PRAGMA query_only = ON");
            return;
        }
        enable_wal(connection_, std::chrono::steady_clock::now() + options.busy_wait_max);
        // A lost tail is applied again from the model's own checkpoint, so NORMAL is enough.
        set_durability(connection_, options.durability == Durability::off ? Durability::off
                                                                          : Durability::normal);
        connection_.run("PRAGMA temp_store = MEMORY");
        connection_.run("PRAGMA cache_size = -65536");
        sqlite3_wal_hook(
            connection_.handle(),
            [](void* self, sqlite3*, const char*, int pages) {
                static_cast<ReadModelFile*>(self)->wal_pages_ = pages;
                return SQLITE_OK;
            },
            this);
    }

    ~ReadModelFile() override { rollback(); }

    Sql& sql() override { return sql_; }
    void begin() override {
        try {
            if (use_ == ReadModelUse::query) {
                connection_.run("BEGIN");
                connection_.integer("SELECT 1 FROM sqlite_schema");  // begins the look
            } else {
                connection_.run("BEGIN IMMEDIATE");
            }
        } catch (const Error&) {
            rollback();
            if (std::filesystem::exists(connection_.path())) throw;
            throw NotFoundError("read model '" + connection_.path() +
                                "' is no longer there: open the newer one");
        }
    }
    void commit() override {
        connection_.run("COMMIT");
        if (wal_pages_ >= wal_pages_max) checkpoint_now();
    }
    void rollback() noexcept override { connection_.rollback(); }
    void finish_build() override {
        set_durability(connection_, options_.durability);
        checkpoint_now();
    }

private:
    void checkpoint_now() {
        if (!checkpointer_) {
            checkpointer_.emplace(connection_.path(), false, options_.busy_wait_max);
            set_durability(*checkpointer_, options_.durability);
        }
        if (checkpoint_must_exclude_commits()) {
            checkpoint_excluding_commits(connection_, *checkpointer_);
        } else {
            checkpoint(*checkpointer_);
        }
        wal_pages_ = 0;
    }

    const EngineOptions options_;
    const ReadModelUse use_;
    Connection connection_;
    ConnectionSql sql_;
    std::optional<Connection> checkpointer_;
    int wal_pages_ = 0;
};

}  // namespace

ReadModelFiles::ReadModelFiles(std::string directory, EngineOptions options)
    : directory_(std::move(directory)), options_(std::move(options)) {}

std::unique_ptr<ReadModelDatabase> ReadModelFiles::open(std::string_view name, ReadModelUse use) {
    const std::string path = path_of(name);
    if (use == ReadModelUse::build) {
        std::error_code error;
        std::filesystem::create_directories(directory_, error);
        if (error) {
            throw StorageError("directory '" + directory_ + "' for read models: " +
                               error.message() + ": check the rights on the store's directory");
        }
    } else if (!std::filesystem::exists(path)) {
        throw NotFoundError("read model '" + std::string(name) +
                            "' is not there: run the projection first");
    }
    return std::make_unique<ReadModelFile>(path, use, options_);
}

void ReadModelFiles::remove(std::string_view name) {
    const std::string path = path_of(name);
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

std::string ReadModelFiles::path_of(std::string_view name) const {
    detail::check_read_model_name(name);
    return directory_ + "/" + std::string(name) + std::string(file_ending);
}

}  // namespace daybook::sqlite
