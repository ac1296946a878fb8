#include "log/store_core.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_uri.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "daybook/schema/is_json.hpp"
#include "engine/names.hpp"
#include "engine/postgres/postgres_engine.hpp"
#include "engine/sqlite/sqlite_engine.hpp"
#include "log/page_sources.hpp"

namespace daybook {

namespace {

/// A transaction that is open on this thread. They form a list, innermost first. Another append to
/// the same store would wait for the store's lock, which this thread holds, and never return.
struct OpenTransaction {
    explicit OpenTransaction(const StoreCore* core) : store(core), outer(innermost) {
        innermost = this;
    }
    ~OpenTransaction() { innermost = outer; }
    OpenTransaction(const OpenTransaction&) = delete;
    OpenTransaction& operator=(const OpenTransaction&) = delete;

    const StoreCore* store;
    const OpenTransaction* outer;
    static thread_local const OpenTransaction* innermost;
};
thread_local const OpenTransaction* OpenTransaction::innermost = nullptr;

void refuse_nesting(const StoreCore* core) {
    for (const OpenTransaction* open = OpenTransaction::innermost; open != nullptr;
         open = open->outer) {
        if (open->store != core) continue;
        throw InvalidError(
            "store '" + core->uri +
            "': this thread is inside a transaction of the same store already: use the "
            "Transaction it was given");
    }
}

StoreOptions checked(StoreOptions options) {
    if (options.busy_wait_max < options.busy_wait_max.zero())
        throw InvalidError("StoreOptions: busy_wait_max must not be negative");
    if (options.reply_wait_max <= options.reply_wait_max.zero())
        throw InvalidError("StoreOptions: reply_wait_max must be longer than 0");
    options.busy_wait_max = bounded_wait(options.busy_wait_max);
    options.reply_wait_max = bounded_wait(options.reply_wait_max);
    return options;
}

std::unique_ptr<Engine> open(const std::string& uri, const StoreOptions& options,
                             TypeTable& types) {
    constexpr std::string_view sqlite_scheme = "sqlite:";
    check_store_name(uri);
    if (postgres::is_postgres(uri)) return postgres::open_engine(uri, options, types);
    const auto scheme_end = uri.find("://");
    if (scheme_end != std::string::npos) {
        throw InvalidError("store '" + shown_uri(uri) + "': this build has no engine for '" +
                           uri.substr(0, scheme_end) +
                           "': give the path of a file or a postgresql:// URI");
    }
    const std::string path =
        uri.starts_with(sqlite_scheme) ? uri.substr(sqlite_scheme.size()) : uri;
    if (path.empty()) throw InvalidError("a store needs a name: give the path of a file");
    return sqlite::open_engine(path, options, types);
}

}  // namespace

StoreCore::StoreCore(std::string_view store_uri, StoreOptions store_options)
    : uri(shown_uri(store_uri)),
      options(checked(std::move(store_options))),
      engine(open(std::string(store_uri), options, types_)),
      signal([this] { return engine->change_token(); }),
      queue_(*engine, {.has_hooks = [this] { return !hooks()->empty(); },
                       .before_commit =
                           [this](WriteTransaction& transaction, const AppendRequest& request) {
                               Transaction hooked{*this, transaction, request.trace};
                               run_hooks(hooked);
                           },
                       .after_commit = [this] { signal.notify(); }}) {}

void StoreCore::check_not_reserved(const StreamName& stream) {
    if (!stream.is_reserved()) return;
    throw InvalidError("stream '" + stream.str() + "': the category '" +
                       std::string(stream.category()) +
                       "' is kept for Daybook's own streams: append to a stream of another name");
}

void StoreCore::check(const StreamName& stream, std::span<const NewEvent> events) const {
    check_not_reserved(stream);
    if (events.empty()) throw InvalidError("an append needs at least one event: give it one");
    if (events.size() > options.append_events_max) {
        throw InvalidError("an append of " + std::to_string(events.size()) +
                           " events is over the limit of " +
                           std::to_string(options.append_events_max) + ": append them in parts");
    }
    for (const NewEvent& event : events) {
        const auto refuse = [&](const std::string& why) {
            throw InvalidError("event " + event.id.to_string() + " '" +
                               std::string(event.type.name) + "': " + why);
        };
        if (event.id.is_nil()) refuse("its id is nil: leave the id out or give a real one");
        if (event.data.size() > options.payload_bytes_max ||
            event.metadata.size() > options.payload_bytes_max) {
            refuse("its payload or metadata is over the limit of " +
                   std::to_string(options.payload_bytes_max) +
                   " bytes: store large things elsewhere and append a reference");
        }
        if (!options.check_json) continue;
        if (!is_json(event.data)) {
            refuse("its payload " + json_fault(event.data).value_or("is not JSON"));
        }
        if (!event.metadata.empty() && !is_json_object(event.metadata)) {
            refuse(
                "its metadata " +
                json_fault(event.metadata).value_or("is not a JSON object: give it one, or none"));
        }
    }
}

AppendOutcome StoreCore::append(const StreamName& stream, ExpectedVersion expected,
                                std::span<const NewEvent> events) {
    fork_mark.refuse_child(uri);
    refuse_nesting(this);
    check(stream, events);
    return queue_.append({stream, expected, events, clock().now(), {}});
}

std::future<AppendResult> StoreCore::append_async(StreamName stream, ExpectedVersion expected,
                                                  std::vector<NewEvent> events) {
    fork_mark.refuse_child(uri);
    refuse_nesting(this);
    check(stream, events);
    return queue_.append_async({std::move(stream), expected, std::move(events), clock().now()});
}

CommitResult StoreCore::transact(const std::function<void(Transaction&)>& work,
                                 const Trace& trace) {
    fork_mark.refuse_child(uri);
    refuse_nesting(this);
    const OpenTransaction guard{this};
    CommitResult result;
    queue_.transact([&](WriteTransaction& engine_transaction) {
        Transaction transaction{*this, engine_transaction, trace};
        work(transaction);
        transaction.require_intact();
        if (transaction.appended_) run_hooks(transaction);
        result.position = engine_transaction.head();
    });
    return result;
}

void StoreCore::query(const std::function<void(Sql&)>& read) {
    query_unchecked([&](Sql& sql) {
        GuardedSql guarded{sql};
        read(guarded);
    });
}

void StoreCore::query_unchecked(const std::function<void(Sql&)>& read) {
    fork_mark.refuse_child(uri);
    const PooledReader reader{*engine};
    const ReaderSnapshot one_state{*reader};
    read(reader->sql());
}

std::unique_ptr<PageSource> StoreCore::stream_pages(const StreamName& stream,
                                                    const StreamRead& read, Reader* reader) {
    return std::make_unique<StreamPages>(*this, stream, read, reader);
}

std::unique_ptr<PageSource> StoreCore::log_pages(const LogRead& read, Reader* reader) {
    return std::make_unique<LogPages>(*this, read, reader);
}

void StoreCore::read_page(const PageRequest& request, EventPage& page, Reader* reader) {
    fork_mark.refuse_child(uri);
    PageRequest actual = request;
    EventFilter wider;
    if (upcasts() && request.filter != nullptr && !request.filter->types.empty()) {
        wider.categories = request.filter->categories;
        for (const std::string& name : request.filter->types) {
            for (std::string& source : options.catalog->sources_of(name)) {
                wider.types.push_back(std::move(source));
            }
        }
        actual.filter = &wider;
    }
    if (reader != nullptr) {
        reader->read(actual, page);
    } else {
        PooledReader { *engine } -> read(actual, page);
    }
    if (upcasts()) upcast(request, page);
}

bool StoreCore::upcasts() const noexcept {
    return options.catalog && options.catalog->has_upcasters();
}

void StoreCore::upcast(const PageRequest& request, EventPage& page) {
    const EventCatalog& catalog = *options.catalog;
    const auto old = [&](const EventRow& row) {
        return catalog.needs_upcast(row.type->name, row.type->version);
    };
    const auto wanted = [&](const EventRow& row) {
        if (request.filter == nullptr || request.filter->types.empty()) return true;
        return std::ranges::find(request.filter->types, row.type->name) !=
               request.filter->types.end();
    };
    std::vector<EventRow> rows;
    std::vector<Upcasted> upcasted;
    for (const EventRow& row : page.rows) {
        const auto first = static_cast<std::ptrdiff_t>(rows.size());
        if (!old(row)) {
            if (wanted(row)) rows.push_back(row);
            continue;
        }
        upcasted.clear();
        catalog.upcast(row.type->name, row.type->version, row.data, upcasted);
        for (const Upcasted& event : upcasted) {
            EventRow changed = row;
            changed.type = types_.intern(event.name, event.version);
            changed.data = page.keep(event.data);
            if (wanted(changed)) rows.push_back(changed);
        }
        if (request.direction == Direction::backward) {
            std::reverse(rows.begin() + first, rows.end());
        }
    }
    page.rows.swap(rows);
}

std::shared_ptr<void> StoreCore::add_commit_hook(CommitHook hook) {
    fork_mark.refuse_child(uri);
    auto added = std::make_shared<const CommitHook>(std::move(hook));
    const auto change = [this](const auto& edit) {
        const MutexLock lock{hooks_mutex_};
        HookList list = *hooks_;
        edit(list);
        hooks_ = std::make_shared<const HookList>(std::move(list));
    };
    change([&](HookList& list) { list.push_back(added); });
    return {nullptr,
            [change, added](void*) { change([&](HookList& list) { std::erase(list, added); }); }};
}

std::shared_ptr<const StoreCore::HookList> StoreCore::hooks() const {
    const MutexLock lock{hooks_mutex_};
    return hooks_;
}

void StoreCore::run_hooks(Transaction& transaction) const {
    const OpenTransaction guard{this};
    const auto list = hooks();
    for (const auto& hook : *list) (*hook)(transaction);
}

}  // namespace daybook
