#include <algorithm>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker_name.hpp"
#include "enum_names.hpp"
#include "orchestrator_state.hpp"
#include "statements.hpp"

// Fires timers. A row in daybook_saga_timer only says that a timer may be due; the saga's state
// decides. Each timer is fired in its own transaction, which reads the state again, so that a timer
// takes effect once even if several processes fire it.

namespace daybook {

namespace {

// How long a timer is postponed whose saga cannot be handled.
constexpr std::chrono::minutes postponement{1};

// The mark for timers is stored beside those of the definitions, none of which can have this name.
const std::string timers_mark = "#timers";

// The clocks of several machines may differ by so much.
constexpr std::chrono::seconds clock_tolerance{1};

// Restricts a query to the definitions of this program: `AND hash IN (?, ?)`.
std::string known_hashes(std::size_t count) {
    std::string text = " AND hash IN (";
    for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
    return text + ")";
}

}  // namespace

std::vector<SagaOrchestrator::State::DueTimer> SagaOrchestrator::State::due_timers(
    Timestamp now) const {
    std::vector<DueTimer> due;
    if (definitions.empty()) return due;
    const std::string statement = std::string(detail::sql::due_timers) +
                                  known_hashes(definitions.by_hash().size()) +
                                  std::string(detail::sql::due_timers_in_order);
    std::vector<SqlValue> parameters{now};
    for (const auto& entry : definitions.by_hash()) parameters.emplace_back(entry.first);
    parameters.emplace_back(options.timers_max);
    detail::query_store(store, [&](Sql& sql) {
        due.clear();
        sql.query(statement, parameters, [&](const SqlRow& row) {
            due.push_back({{std::string(row.text(0)), std::string(row.text(1))},
                           std::string(row.text(2)),
                           static_cast<int>(row.integer(3)),
                           row.timestamp(4)});
        });
    });
    return due;
}

std::optional<Timestamp> SagaOrchestrator::State::next_due() const {
    if (definitions.empty()) return std::nullopt;
    const std::string statement = std::string(detail::sql::next_timer) +
                                  known_hashes(definitions.by_hash().size()) +
                                  std::string(detail::sql::next_timer_first);
    std::vector<SqlValue> parameters{Timestamp::min()};
    for (const auto& entry : definitions.by_hash()) parameters.emplace_back(entry.first);
    std::optional<Timestamp> next;
    detail::query_store(store, [&](Sql& sql) {
        sql.query(statement, parameters, [&](const SqlRow& row) { next = row.timestamp(0); });
    });
    if (!starts_wait_) return next;
    const Timestamp now = store.clock().now();
    return next ? std::min(*next, now) : now;
}

std::size_t SagaOrchestrator::State::fire_due() {
    check_clock();
    const std::vector<DueTimer> due = due_timers(store.clock().now());
    if (due.empty()) return 0;
    if (!mark_in_progress(timers_mark)) return fire_counted(due);
    std::size_t fired = 0;
    for (const DueTimer& timer : due) fired += fire_or_postpone(timer) ? 1 : 0;
    clear_in_progress(timers_mark);
    return fired;
}

// As `start_counted`: one process at a time, which counts each attempt before it makes it.
std::size_t SagaOrchestrator::State::fire_counted(const std::vector<DueTimer>& due) {
    Leases leases{store};
    const auto lease = leases.try_acquire("saga-timers", detail::worker_name(), recovery_lease);
    if (!lease) return 0;
    std::size_t fired = 0;
    for (const DueTimer& timer : due) {
        if (count_attempt(timer) <= crashes_max) {
            fired += fire_or_postpone(timer) ? 1 : 0;
        } else {
            give_up(timer);
            ++fired;
        }
    }
    clear_in_progress(timers_mark);
    leases.release(*lease);
    return fired;
}

std::int64_t SagaOrchestrator::State::count_attempt(const DueTimer& timer) {
    const MutexLock lock{counting_mutex_};
    std::pair<SagaId, std::string> key{timer.id, timer.kind};
    std::int64_t attempts = 0;
    // Counted once per process: a process that gets here again has survived its attempt.
    const bool counted = counted_timers_.contains(key);
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        if (!counted)
            sql.exec(detail::sql::count_timer, timer.id.definition, timer.id.key, timer.kind);
        attempts = sql.integer(detail::sql::load_timer_attempts, timer.id.definition, timer.id.key,
                               timer.kind)
                       .value_or(0);
    });
    counted_timers_.insert(std::move(key));
    return attempts;
}

void SagaOrchestrator::State::give_up(const DueTimer& timer) {
    const std::string why = "the process died at each of " + std::to_string(crashes_max) +
                            " attempts to act on its " + timer.kind;
    report_error("saga " + timer.id.to_string() + ": " + why);
    change(timer.id, [&](detail::SagaTransaction& saga_tx) {
        return saga_tx.apply(detail::FaultInput{IncidentCause::send, why, {}});
    });
}

bool SagaOrchestrator::State::fire_or_postpone(const DueTimer& timer) {
    std::string why{detail::no_exception};
    try {
        return fire(timer);
    } catch (const ConflictError&) {
        // Another process has changed the saga; the next run reads its timers again.
        return false;
    } catch (const std::exception& error) {
        if (is_store_error(error)) throw;
        why = error.what();
    } catch (...) {}
    postpone(timer, why);
    return false;
}

bool SagaOrchestrator::State::change(const SagaId& id,
                                     const std::function<bool(detail::SagaTransaction&)>& action) {
    bool changed = false;
    store.transact([&](Transaction& tx) {
        changed = false;
        auto saga = detail::load_saga(tx, id);
        const auto* definition = saga ? definitions.find(saga->state) : nullptr;
        if (definition == nullptr) return;
        tx.set_trace({saga->state.correlation, {}});
        detail::SagaTransaction saga_tx{tx, *definition, std::move(*saga), data_bytes_max};
        changed = action(saga_tx);
        if (changed) saga_tx.store();
    });
    return changed;
}

// A clock that the program provides may be set to any time; due times follow only the system clock.
void SagaOrchestrator::State::check_clock() {
    if (store.options().clock != nullptr || definitions.empty()) return;
    const Timestamp now = store.clock().now();
    {
        const MutexLock lock{mutex_};
        // The first check of a process always runs: the clock may have been set back before.
        if (now >= latest_clock_) {
            latest_clock_ = now;
            return;
        }
    }
    const std::vector<SagaId> ahead = sagas_ahead_of(now);
    std::size_t moved = 0;
    for (const SagaId& id : ahead) {
        try {
            moved += change(id, [](auto& saga_tx) { return saga_tx.apply(detail::ClockInput{}); })
                         ? 1
                         : 0;
        } catch (const ConflictError&) {
            // Another process has applied a newer input, so the saga is no longer ahead.
        } catch (const std::exception& error) {
            if (is_store_error(error)) throw;
            report_error("saga " + id.to_string() + " after the clock went back: " + error.what());
        }
    }
    const MutexLock lock{mutex_};
    const bool more = ahead.size() == options.timers_max && moved > 0;
    latest_clock_ = more ? Timestamp::max() : now;
}

std::vector<SagaId> SagaOrchestrator::State::sagas_ahead_of(Timestamp now) const {
    const std::string statement = std::string(detail::sql::sagas_updated_after) +
                                  known_hashes(definitions.by_hash().size()) +
                                  std::string(detail::sql::in_order);
    std::vector<SqlValue> parameters{saturating_add(now, clock_tolerance)};
    for (const auto& entry : definitions.by_hash()) parameters.emplace_back(entry.first);
    parameters.emplace_back(options.timers_max);
    std::vector<SagaId> found;
    detail::query_store(store, [&](Sql& sql) {
        found.clear();
        sql.query(statement, parameters, [&](const SqlRow& row) {
            found.push_back({std::string(row.text(0)), std::string(row.text(1))});
        });
    });
    return found;
}

bool SagaOrchestrator::State::fire(const DueTimer& timer) {
    bool fired = false;
    store.transact([&](Transaction& tx) {
        fired = false;
        Sql& sql = detail::store_sql(tx);
        const auto kind = detail::parse_enum<SagaTimerKind>(timer.kind);
        auto saga = detail::load_saga(tx, timer.id);
        const auto due = saga ? detail::due_of(saga->state, kind) : std::nullopt;
        if (!due || saga->state.generation != timer.generation || *due > tx.now()) {
            // The row does not match the state.
            if (saga && due) return detail::sync_timer(sql, saga->state, kind);
            sql.exec(detail::sql::delete_timer, timer.id.definition, timer.id.key, timer.kind);
            return;
        }
        // The row has the hash of another version; with the right one, the program that has the
        // definition finds it.
        const SagaDefinition* const definition = definitions.find(saga->state);
        if (definition == nullptr) return detail::sync_timer(sql, saga->state, kind);
        tx.set_trace({saga->state.correlation, {}});
        detail::SagaTransaction saga_tx{tx, *definition, std::move(*saga), data_bytes_max};
        fired = saga_tx.apply(detail::TimerInput{kind, *due});
        if (fired) saga_tx.store();
    });
    return fired;
}

// Postpones a timer whose saga cannot be handled. Without this it would be first in each run and,
// with others like it, fill `timers_max`.
void SagaOrchestrator::State::postpone(const DueTimer& timer, std::string_view why) {
    report_error("the " + timer.kind + " of saga " + timer.id.to_string() + ": " +
                 std::string(why));
    store.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(detail::sql::postpone_timer,
                                   saturating_add(tx.now(), postponement), timer.id.definition,
                                   timer.id.key, timer.kind);
    });
}

}  // namespace daybook
