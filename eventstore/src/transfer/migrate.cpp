#include "daybook/eventstore/migrate.hpp"

#include <algorithm>
#include <future>
#include <optional>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/log_hash.hpp"
#include "daybook/eventstore/recorded_batch.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "transfer/pipeline.hpp"
#include "transfer/source_point.hpp"
#include "transfer/statements.hpp"
#include "transfer/table_copy.hpp"

namespace daybook {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// Reports the progress of one phase.
class PhaseProgress {
public:
    PhaseProgress(const MigrationOptions& options, MigrationPhase phase, Position start,
                  Position end)
        : options_(options), start_(start.value()), now_{phase, start_, end.value(), 0} {
        report(start_);
    }

    void report(std::uint64_t done) {
        if (!options_.progress) return;
        const double seconds =
            std::chrono::duration<double>(SteadyClock::now() - started_at_).count();
        now_.done = done;
        if (seconds > 0) now_.per_second = static_cast<double>(done - start_) / seconds;
        options_.progress(now_);
    }

private:
    const MigrationOptions& options_;
    const std::uint64_t start_;
    const SteadyClock::time_point started_at_ = SteadyClock::now();
    MigrationProgress now_;
};

/// One call of `migrate`.
class Migration {
public:
    Migration(EventStore from, EventStore to, const MigrationOptions& options)
        : from_(std::move(from)), to_(std::move(to)), options_(options) {}

    MigrationResult run();

private:
    bool resume();
    void require_same_source() const;
    void begin();
    void require_blank(Transaction& tx) const;
    void require_at_rest(Position source) const;
    void copy_events();
    void store(std::vector<detail::TransferEvent>& events);
    void copy_tables();
    void verify();
    void finish();
    void advance(Transaction& tx, const LogPoint& point) const;
    std::string name() const { return "'" + from_.uri() + "' to '" + to_.uri() + "'"; }
    [[noreturn]] void fail_in_use(Position target) const;
    [[noreturn]] void fail_different() const;

    EventStore from_;
    EventStore to_;
    const MigrationOptions& options_;
    LogPoint point_;
    RecordedBatch batch_;
    MigrationResult result_;
};

MigrationResult Migration::run() {
    const auto started_at = SteadyClock::now();
    const bool finished = resume();
    if (!finished) {
        copy_events();
        copy_tables();
    }
    verify();
    detail::query_store(from_, [&](Sql& sql) {
        sql.each(detail::sql::projection_names,
                 [&](const SqlRow& row) { result_.rebuild.emplace_back(row.text(0)); });
    });
    // The migration is marked as finished last. An error after that would be thrown although the
    // migration is finished.
    if (!finished) finish();
    result_.took =
        std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - started_at);
    return std::move(result_);
}

/// Reads the checkpoint of an earlier call, or begins a new migration. True if it was finished
/// before.
bool Migration::resume() {
    std::optional<detail::MigrationRow> row;
    detail::query_store(to_, [&](Sql& sql) { row = detail::find_migration(sql); });
    if (!row) {
        begin();
        return false;
    }
    point_ = row->point;
    require_same_source();
    if (const Position head = to_.head(); head != point_.position) fail_in_use(head);
    if (row->finished && from_.head() != point_.position) {
        throw InvalidError("migration of " + name() + " was finished at position " +
                           std::to_string(point_.position.value()) +
                           " and the source has grown since: mirror what is new, or begin again " +
                           "with an empty target");
    }
    return row->finished;
}

/// Throws InvalidError if the events in the target were not copied from this source as it is now:
/// the target would hold parts of two logs.
void Migration::require_same_source() const {
    const PooledReader source{detail::engine_of(from_)};
    const ReaderSnapshot one_state{*source};
    std::string why = detail::mismatch(source->sql(), point_);
    if (why.empty() && point_.position == Position{0} &&
        point_.store != detail::store_identity(source->sql())) {
        why = "it is not store " + point_.store.to_string();
    }
    if (why.empty()) return;
    throw InvalidError("migration of " + name() + ": the target holds what came from another " +
                       "source, up to position " + std::to_string(point_.position.value()) + ": " +
                       why + ": name that source, or an empty target");
}

void Migration::begin() {
    point_.store = from_.identity();
    to_.transact([&](Transaction& tx) {
        require_blank(tx);
        detail::store_sql(tx).exec(detail::sql::migration_begin, point_.store, tx.now());
    });
}

void Migration::require_blank(Transaction& tx) const {
    const auto refuse = [&](const std::string& what) {
        throw InvalidError("migration of " + name() + ": the target holds " + what +
                           " already: name an empty one");
    };
    if (tx.head() > Position{0}) refuse(std::to_string(tx.head().value()) + " events");
    for (const auto& table : detail::copied_tables) {
        if (!is_empty(detail::store_sql(tx), table))
            refuse("rows in '" + std::string(table.shown_name()) + "'");
    }
}

void Migration::require_at_rest(Position source) const {
    if (source == point_.position) return;
    throw UnavailableError("migration of " + name() + ": the source has grown from position " +
                           std::to_string(point_.position.value()) + " to " +
                           std::to_string(source.value()) +
                           " meanwhile: stop what writes to it and run again; it goes on there");
}

void Migration::copy_events() {
    const Position until = from_.head();
    PhaseProgress progress{options_, MigrationPhase::events, point_.position, until};
    detail::TransferPipeline pipeline{
        from_,
        {.batch_max = options_.batch_max,
         .queue_max = {2 * options_.batch_max,
                       detail::TransferPipeline::Options{}.queue_max.bytes}}};
    pipeline.run(point_, until, options_.stop, [&](std::vector<detail::TransferEvent>& events) {
        store(events);
        progress.report(point_.position.value());
    });
    if (point_.position == until) return;
    throw CancelledError("migration of " + name() + " was stopped at position " +
                         std::to_string(point_.position.value()) + " of " +
                         std::to_string(until.value()) + ": run it again to go on");
}

void Migration::store(std::vector<detail::TransferEvent>& events) {
    const LogPoint last{events.back().position, events.back().event.id, point_.store};
    to_.transact([&](Transaction& tx) {
        batch_.clear();
        for (detail::TransferEvent& event : events) {
            batch_.add(event.stream, event.version, event.recorded_at, std::move(event.event));
        }
        detail::append_whole_log(tx, batch_);
        if (const Position head = tx.head(); head != last.position) fail_in_use(head);
        advance(tx, last);
    });
    point_ = last;
    result_.copied += events.size();
}

void Migration::advance(Transaction& tx, const LogPoint& point) const {
    if (detail::store_sql(tx).exec(detail::sql::migration_advance, point.position,
                                   SqlValue::id_or_null(point.event), tx.now(),
                                   point_.position) == 1) {
        return;
    }
    throw ErrorOf<ErrorKind::conflict>("migration of " + name() +
                                       ": another one is at work on this target: let one end");
}

/// Copies all tables in one transaction, from one state of the source. A call that is killed here
/// leaves nothing of them, and the next one copies them.
void Migration::copy_tables() {
    PhaseProgress progress{options_, MigrationPhase::tables, point_.position, point_.position};
    require_same_source();
    const PooledReader source{detail::engine_of(from_)};
    const ReaderSnapshot one_state{*source};
    require_at_rest(source->head());
    to_.transact([&](Transaction& tx) {
        advance(tx, point_);
        for (const auto& table : detail::copied_tables) {
            result_.rows.emplace_back(table.shown_name(),
                                      copy_table(source->sql(), detail::store_sql(tx), table));
        }
    });
}

void Migration::verify() {
    PhaseProgress progress{options_, MigrationPhase::verify, {}, point_.position};
    auto source = std::async(std::launch::async,
                             [&] { return hash_log(from_, point_.position, {}, options_.stop); });
    const LogHash target = hash_log(
        to_, point_.position, [&](std::uint64_t events) { progress.report(events); },
        options_.stop);
    const LogHash original = source.get();
    if (!(original == target) || original.events() != point_.position.value()) fail_different();
    result_.events = original.events();
    result_.source_hash = original.value();
    result_.target_hash = target.value();
}

void Migration::finish() {
    require_same_source();
    require_at_rest(from_.head());
    to_.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(detail::sql::migration_finish, tx.now(), point_.position);
    });
}

void Migration::fail_in_use(Position target) const {
    throw InvalidError("migration of " + name() + ": the target has " +
                       std::to_string(target.value()) + " events where " +
                       std::to_string(point_.position.value()) +
                       " were copied: it is written to by others; stop them, or name an empty one");
}

/// Finds the first event that differs, for the error text. It reads both logs again, so it is
/// called only if the hashes differ.
void Migration::fail_different() const {
    EventPage source;
    EventPage target;
    std::uint64_t at = 1;
    while (at <= point_.position.value()) {
        PooledReader { detail::engine_of(from_) } -> read({.from = at}, source);
        PooledReader { detail::engine_of(to_) } -> read({.from = at}, target);
        const std::size_t rows = std::min(source.rows.size(), target.rows.size());
        if (rows == 0) break;
        for (std::size_t i = 0; i < rows; ++i, ++at) {
            LogHash one;
            LogHash other;
            one.add(EventView{source.rows[i]});
            other.add(EventView{target.rows[i]});
            if (one == other) continue;
            throw CorruptError("migration of " + name() + ": the logs differ at position " +
                               std::to_string(at) + ", in stream '" +
                               std::string(source.rows[i].stream) +
                               "': begin again with an empty target");
        }
    }
    throw CorruptError("migration of " + name() + ": one of the logs ends before position " +
                       std::to_string(at) + ": begin again with an empty target");
}

}  // namespace

std::string_view to_string(MigrationPhase phase) noexcept {
    switch (phase) {
        case MigrationPhase::events: return "events";
        case MigrationPhase::tables: return "tables";
        case MigrationPhase::verify: return "verify";
    }
    return "unknown";
}

MigrationResult migrate(EventStore from, EventStore to, const MigrationOptions& options) {
    if (options.batch_max == 0)
        throw InvalidError("MigrationOptions: batch_max must be at least 1");
    return Migration{std::move(from), std::move(to), options}.run();
}

}  // namespace daybook
