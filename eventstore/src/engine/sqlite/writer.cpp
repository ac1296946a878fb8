#include "engine/sqlite/writer.hpp"

#include "daybook/core/error.hpp"
#include "engine/repeated_append.hpp"
#include "engine/sqlite/model_move.hpp"
#include "engine/sqlite/pragmas.hpp"
#include "engine/sqlite/store_file.hpp"

namespace daybook::sqlite {

namespace {

/// Whether the transaction may be in the write-ahead log although its COMMIT has failed. It is
/// complete there once its last frame is written, and what follows can still fail: the sync, and
/// the update of the log's index, which needs space and memory. The next process that recovers the
/// log would then find the transaction, although its caller was told that nothing was stored.
bool may_be_in_the_log(int code) noexcept {
    switch (code & 0xff) {
        case SQLITE_FULL:
        case SQLITE_BUSY:
        case SQLITE_CONSTRAINT:
        case SQLITE_READONLY: return false;
        default: return code != SQLITE_IOERR_WRITE;
    }
}

}  // namespace

Writer::Writer(std::string path, FileGuard& guard, TypeTable& types, Durability durability,
               std::chrono::milliseconds busy_wait_max)
    : path_(std::move(path)),
      guard_(guard),
      types_(types),
      durability_(durability),
      busy_wait_max_(busy_wait_max) {}

void Writer::connect() {
    sql_.reset();
    reader_.reset();
    stream_index_.reset();
    connection_.reset();
    drop_cache();
    auto made = std::make_unique<Connection>(path_, Access::write, busy_wait_max_);
    guard_.check_file();
    made->confirm_damage(suspects_damage_);
    set_durability(*made, durability_);
    made->gather_commits();
    // Large enough for the pages that appends use again and again, those of the newer levels of the
    // stream index.
    made->run("PRAGMA cache_size = -65536");
    made->run("PRAGMA journal_size_limit = " + std::to_string(wal_bytes_kept_max));
    sqlite3_wal_hook(
        made->handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<Writer*>(self)->wal_pages_ = pages;
            return SQLITE_OK;
        },
        this);
    insert_ = &made->statement(
        "INSERT INTO daybook_event(position, stream, version, category, type, recorded_at, id, "
        "correlation, causation, data, metadata) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    stream_index_.emplace(*made);
    reader_ = std::make_unique<EventReader>(*made, types_);
    sql_ = std::make_unique<ConnectionSql>(*made);
    guard_.include_log();
    connection_ = std::move(made);
}

Connection& Writer::connection() {
    if (!connection_) connect();
    return *connection_;
}

void Writer::begin() {
    try {
        detach_model(connection());
        connection_->begin(Connection::TransactionType::immediate);
        first_id_ = {};
        const std::int64_t data_version = connection_->integer("PRAGMA data_version");
        if (data_version == data_version_) return;
        check_schema_version(*connection_);
        drop_cache();
        data_version_ = data_version;
        head_ = reader_->head();
    } catch (...) {
        rollback();
        throw;
    }
}

void Writer::commit() {
    try {
        connection_->require_open();
        guard_.check();
        if (!first_id_.is_nil()) stream_index_->compact(head_);
    } catch (...) {
        rollback();
        throw;
    }
    const int code = connection_->try_commit();
    if (code != SQLITE_OK) return resolve_failed_commit(code);
    suspects_damage_ = false;
    connection_->confirm_damage(false);
}

void Writer::resolve_failed_commit(int code) {
    try {
        connection_->fail(code, path_ + ": COMMIT");
    } catch (const Error& error) {
        rollback();
        if (!may_be_in_the_log(code) || !was_committed(error.what())) throw;
    }
}

void Writer::rollback() noexcept {
    if (connection_) {
        connection_->rollback();
        if (!connection_->usable()) {
            suspects_damage_ = connection_->suspects_damage();
            connection_.reset();
        }
    }
    drop_cache();
}

void Writer::rollback_to_savepoint() {
    connection_->run("ROLLBACK TO daybook_append");
    connection_->run("RELEASE daybook_append");
    drop_cache();
    data_version_ = connection_->integer("PRAGMA data_version");
    head_ = reader_->head();
}

void Writer::drop_cache() noexcept {
    data_version_ = -1;
    head_ = {};
    stream_heads_.clear();
    categories_.clear();
    event_types_.clear();
    if (reader_) reader_->drop_names();
}

bool Writer::was_committed(const std::string& why) {
    const EventId looked_for = first_id_;
    try {
        connect();
        connection_->begin(Connection::TransactionType::immediate);
        Statement& query = connection_->statement("SELECT 1 FROM daybook_event WHERE id = ?");
        query.bind(1, looked_for);
        const bool found = query.step();
        query.reset();
        // If the transaction was not found, its frames may still lie in the log behind the last
        // commit, and a later recovery could bring it back. This commit overwrites them.
        write_unchanged_page(*connection_);
        connection_->commit();
        drop_cache();
        if (found || !looked_for.is_nil()) return found;
    } catch (const Error&) {
        connection_.reset();
    }
    throw InDoubtError(why +
                       ": this was while a transaction was being committed, and it cannot be known "
                       "whether it is stored: read the stream before repeating it");
}

AppendOutcome Writer::append(const AppendRequest& request) {
    connection_->require_open();
    StreamHead& head = stream_head(request.stream);
    if (!request.expected.admits(head.version)) {
        if (auto repeated = find_repeat(request)) return *repeated;
        return Conflict{request.stream, request.expected, head.version};
    }
    if (head.id == 0) create_stream(request.stream, head);
    Version version = head.version;
    for (const NewEvent& event : request.events) {
        if (!insert(request, event, head, version.next())) {
            if (auto repeated = find_repeat(request)) return *repeated;
            throw CorruptError(path_ + ": event id " + event.id.to_string() +
                               " is refused but not there: check the store");
        }
        version = version.next();
        head_ = head_.next();
    }
    stream_index_->add(head.id, version, head_, request.events.size());
    head.version = version;
    if (first_id_.is_nil()) first_id_ = request.events.front().id;
    return AppendResult{head_, version, false};
}

bool Writer::insert(const AppendRequest& request, const NewEvent& event, const StreamHead& head,
                    Version version) {
    Statement& insert = *insert_;
    const Resetting resetting{insert};
    const auto bind_id = [&](int index, const EventId& own, const EventId& requests) {
        const EventId& id = own.is_nil() ? requests : own;
        if (id.is_nil()) {
            insert.bind_null(index);
        } else {
            insert.bind(index, id);
        }
    };
    insert.bind(1, head_.next());
    insert.bind(2, head.id);
    insert.bind(3, version);
    insert.bind(4, head.category);
    insert.bind(5, type_id(event.type));
    insert.bind(6, static_cast<std::int64_t>(request.recorded_at.time_since_epoch().count()));
    insert.bind(7, event.id);
    bind_id(8, event.trace.correlation, request.trace.correlation);
    bind_id(9, event.trace.causation, request.trace.causation);
    insert.bind(10, std::string_view{event.data});
    if (event.metadata.empty()) {
        insert.bind_null(11);
    } else {
        insert.bind(11, std::string_view{event.metadata});
    }
    const int code = insert.try_step();
    if (code == SQLITE_DONE) return true;
    if (code == SQLITE_CONSTRAINT_UNIQUE) return false;
    connection_->fail(code, path_ + ": append to stream '" + request.stream.str() + "'");
}

Writer::StreamHead& Writer::stream_head(const StreamName& stream) {
    const auto found = stream_heads_.find(std::string_view{stream.str()});
    if (found != stream_heads_.end()) return found->second;
    if (stream_heads_.size() >= stream_heads_max) stream_heads_.clear();
    StreamHead head;
    static const std::string statement = "SELECT id, category, " +
                                         stream_version_expression("daybook_stream.id") +
                                         " FROM daybook_stream WHERE name = ?";
    Statement& query = connection_->statement(statement);
    const Resetting resetting{query};
    query.bind(1, std::string_view{stream.str()});
    if (query.step()) {
        head = {query.integer(0), query.integer(1), static_cast<std::uint64_t>(query.integer(2))};
    }
    return stream_heads_.emplace(stream.str(), head).first->second;
}

void Writer::create_stream(const StreamName& stream, StreamHead& head) {
    head.category = category_id(stream.category());
    Statement& insert =
        connection_->statement("INSERT INTO daybook_stream(name, category) VALUES(?, ?)");
    const Resetting resetting{insert};
    insert.bind(1, std::string_view{stream.str()});
    insert.bind(2, head.category);
    insert.step();
    head.id = sqlite3_last_insert_rowid(connection_->handle());
}

std::int64_t Writer::intern(std::string_view find, std::string_view insert,
                            const std::function<void(Statement&)>& bind) {
    Statement& query = connection_->statement(find);
    const Resetting resetting_query{query};
    bind(query);
    if (query.step()) return query.integer(0);
    Statement& change = connection_->statement(insert);
    const Resetting resetting_change{change};
    bind(change);
    change.step();
    return sqlite3_last_insert_rowid(connection_->handle());
}

std::int64_t Writer::category_id(std::string_view name) {
    const auto found = categories_.find(name);
    if (found != categories_.end()) return found->second;
    const std::int64_t id = intern("SELECT id FROM daybook_category WHERE name = ?",
                                   "INSERT INTO daybook_category(name) VALUES(?)",
                                   [&](Statement& statement) { statement.bind(1, name); });
    return categories_.emplace(name, id).first->second;
}

std::int64_t Writer::type_id(const EventType& type) {
    auto found = event_types_.find(type.name);
    if (found == event_types_.end()) found = event_types_.emplace(type.name, 0).first;
    for (const auto& [version, id] : found->second) {
        if (version == type.version) return id;
    }
    const std::int64_t id = intern(
        "SELECT id FROM daybook_event_type WHERE name = ? AND version = ?",
        "INSERT INTO daybook_event_type(name, version) VALUES(?, ?)", [&](Statement& statement) {
            statement.bind(1, type.name);
            statement.bind(2, std::int64_t{type.version});
        });
    found->second.emplace_back(type.version, id);
    return id;
}

std::optional<AppendResult> Writer::find_repeat(const AppendRequest& request) {
    return daybook::find_repeat(request, [this](const EventId& id, const auto& visit) {
        Statement& query = connection_->statement(
            "SELECT e.position, e.version, s.name, t.name, t.version, e.data, e.metadata "
            "FROM daybook_event e JOIN daybook_stream s ON s.id = e.stream JOIN daybook_event_type "
            "t ON t.id = e.type "
            "WHERE e.id = ?");
        const Resetting resetting{query};
        query.bind(1, id);
        if (!query.step()) return;
        visit({static_cast<std::uint64_t>(query.integer(0)),
               static_cast<std::uint64_t>(query.integer(1)), query.text(2), query.text(3),
               query.integer(4), query.text(5), query.text(6)});
    });
}

}  // namespace daybook::sqlite
