#include <algorithm>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "orchestrator_state.hpp"
#include "statements.hpp"
#include "words.hpp"

// A row in saga_timer is a hint that something is due; the saga's state says whether it is. Each
// timer is fired in a unit of its own that reads the state anew, so it acts once, whoever fires it.

namespace daybook {

namespace {

// How long a timer rests whose saga cannot be handled.
constexpr std::chrono::minutes postponement{1};

// Stands among the definitions, none of which can have that name.
const std::string timers_mark = "#timers";

// Clocks of several machines are never quite the same.
constexpr std::chrono::seconds clock_tolerance{1};

// Only timers that a definition of this program can act on: `AND hash IN (?, ?)`.
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
    look_at_clock();
    const std::vector<DueTimer> due = due_timers(store.clock().now());
    if (due.empty()) return 0;
    if (!begin(timers_mark)) return fire_counted(due);
    std::size_t fired = 0;
    for (const DueTimer& timer : due) fired += fire_or_hold(timer) ? 1 : 0;
    end_begun(timers_mark);
    return fired;
}

// As with starts: counted ahead, by one process at a time.
std::size_t SagaOrchestrator::State::fire_counted(const std::vector<DueTimer>& due) {
    Leases leases{store};
    const auto lease =
        leases.try_acquire("saga-timers", EventId::generate().to_string(), counted_lease);
    if (!lease) return 0;
    std::size_t fired = 0;
    for (const DueTimer& timer : due) {
        if (count_attempt(timer) <= deaths_max) {
            fired += fire_or_hold(timer) ? 1 : 0;
        } else {
            give_up(timer);
            ++fired;
        }
    }
    end_begun(timers_mark);
    leases.release(*lease);
    return fired;
}

std::int64_t SagaOrchestrator::State::count_attempt(const DueTimer& timer) {
    const std::lock_guard lock{counting_mutex_};
    std::pair<SagaId, std::string> key{timer.id, timer.kind};
    std::int64_t attempts = 0;
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        // One that failed in this process is alive.
        if (!counted_timers_.contains(key))
            sql.exec(detail::sql::count_timer, timer.id.definition, timer.id.key, timer.kind);
        attempts = sql.integer(detail::sql::load_timer_attempts, timer.id.definition, timer.id.key,
                               timer.kind)
                       .value_or(0);
    });
    counted_timers_.insert(std::move(key));
    return attempts;
}

void SagaOrchestrator::State::give_up(const DueTimer& timer) {
    const std::string why = "the process died at each of " + std::to_string(deaths_max) +
                            " attempts to act on its " + timer.kind;
    trouble("saga " + timer.id.to_string() + ": " + why);
    change(timer.id, [&](detail::SagaUnit& unit) {
        return unit.apply(detail::FaultInput{IncidentCause::send, why, {}});
    });
}

bool SagaOrchestrator::State::fire_or_hold(const DueTimer& timer) {
    std::string why{detail::no_exception};
    try {
        return fire(timer);
    } catch (const ConflictError&) {
        // Somebody else moved the saga: what the timer meant is decided anew, or gone.
        return false;
    } catch (const std::exception& error) {
        if (concerns_store(error)) throw;
        why = error.what();
    } catch (...) {}
    hold_back(timer, why);
    return false;
}

bool SagaOrchestrator::State::change(const SagaId& id,
                                     const std::function<bool(detail::SagaUnit&)>& action) {
    bool changed = false;
    store.transact([&](Transaction& tx) {
        changed = false;
        auto saga = detail::load_saga(tx, id);
        const auto* definition = saga ? definitions.find(saga->state) : nullptr;
        if (definition == nullptr) return;
        tx.set_trace({saga->state.correlation, {}});
        detail::SagaUnit unit{tx, *definition, std::move(*saga), data_bytes_max};
        changed = action(unit);
        if (changed) unit.store();
    });
    return changed;
}

// A clock of the program's own goes where the program moves it.
void SagaOrchestrator::State::look_at_clock() {
    if (store.options().clock != nullptr || definitions.empty()) return;
    const Timestamp now = store.clock().now();
    {
        const std::lock_guard lock{mutex_};
        // The first look of a process is for what happened before it.
        if (now >= clock_seen_) {
            clock_seen_ = now;
            return;
        }
    }
    const std::vector<SagaId> ahead = sagas_of_the_future(now);
    std::size_t moved = 0;
    for (const SagaId& id : ahead) {
        try {
            moved +=
                change(id, [](auto& unit) { return unit.apply(detail::ClockInput{}); }) ? 1 : 0;
        } catch (const ConflictError&) {
            // Its newest input is not of the future any more.
        } catch (const std::exception& error) {
            if (concerns_store(error)) throw;
            trouble("saga " + id.to_string() + " after the clock went back: " + error.what());
        }
    }
    const std::lock_guard lock{mutex_};
    const bool more = ahead.size() == options.timers_max && moved > 0;
    clock_seen_ = more ? Timestamp::max() : now;
}

std::vector<SagaId> SagaOrchestrator::State::sagas_of_the_future(Timestamp now) const {
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
        const auto kind = detail::parse_word<SagaTimerKind>(timer.kind);
        auto saga = detail::load_saga(tx, timer.id);
        const auto due = saga ? detail::due_of(saga->state, kind) : std::nullopt;
        if (!due || saga->state.generation != timer.generation || *due > tx.now()) {
            // A row that the state knows nothing of.
            if (saga && due) return detail::sync_timer(sql, saga->state, kind);
            sql.exec(detail::sql::delete_timer, timer.id.definition, timer.id.key, timer.kind);
            return;
        }
        // The row was of another version: it is put right, for the program that has that one.
        const SagaDefinition* const definition = definitions.find(saga->state);
        if (definition == nullptr) return detail::sync_timer(sql, saga->state, kind);
        tx.set_trace({saga->state.correlation, {}});
        detail::SagaUnit unit{tx, *definition, std::move(*saga), data_bytes_max};
        fired = unit.apply(detail::TimerInput{kind, *due});
        if (fired) unit.store();
    });
    return fired;
}

// It rests for a while, so that it does not keep others from their turn.
void SagaOrchestrator::State::hold_back(const DueTimer& timer, std::string_view why) {
    trouble("the " + timer.kind + " of saga " + timer.id.to_string() + ": " + std::string(why));
    store.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(detail::sql::postpone_timer,
                                   saturating_add(tx.now(), postponement), timer.id.definition,
                                   timer.id.key, timer.kind);
    });
}

}  // namespace daybook
