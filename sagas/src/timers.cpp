#include <algorithm>

#include "daybook/core/error.hpp"
#include "orchestrator_state.hpp"
#include "statements.hpp"
#include "words.hpp"

// A row in saga_timer is a hint that something is due; the saga's state says whether it is. Each
// timer is fired in a unit of its own that reads the state anew, so it acts once, whoever fires it.

namespace daybook {

namespace {

// How long a timer rests whose saga cannot be handled, so that it does not block the others.
constexpr std::chrono::minutes postponement{1};

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
    store.query([&](Sql& sql) {
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
    store.query([&](Sql& sql) {
        sql.query(statement, parameters, [&](const SqlRow& row) { next = row.timestamp(0); });
    });
    return next;
}

std::size_t SagaOrchestrator::State::fire_due() {
    std::size_t fired = 0;
    for (const DueTimer& timer : due_timers(store.clock().now())) {
        try {
            if (fire(timer)) ++fired;
        } catch (const ConflictError&) {
            // Somebody else moved the saga: what the timer meant is decided anew, or gone.
        } catch (const Error& error) {
            if (concerns_store(error)) throw;
            trouble("the " + timer.kind + " of saga " + timer.id.to_string() + ": " + error.what());
            postpone(timer);
        }
    }
    return fired;
}

bool SagaOrchestrator::State::fire(const DueTimer& timer) {
    bool fired = false;
    store.transact([&](Transaction& tx) {
        fired = false;
        Sql& sql = tx.sql();
        const auto kind = detail::parse_word<SagaTimerKind>(timer.kind);
        auto saga = detail::load_saga(tx.read(saga_stream(timer.id), detail::newest_only));
        const auto due = saga ? detail::due_of(saga->state, kind) : std::nullopt;
        if (!due || saga->state.generation != timer.generation || *due > tx.now()) {
            // A row that the state knows nothing of.
            if (saga && due) return detail::sync_timer(sql, saga->state, kind);
            sql.exec(detail::sql::delete_timer, timer.id.definition, timer.id.key, timer.kind);
            return;
        }
        tx.set_trace({saga->state.correlation, {}});
        const SagaDefinition& definition = definitions.require(saga->state);
        detail::SagaUnit unit{tx, definition, std::move(*saga), options.data_bytes_max};
        fired = unit.apply(detail::TimerInput{kind, *due});
        if (fired) unit.store();
    });
    return fired;
}

void SagaOrchestrator::State::postpone(const DueTimer& timer) {
    store.transact([&](Transaction& tx) {
        tx.sql().exec(detail::sql::postpone_timer, tx.now() + postponement, timer.id.definition,
                      timer.id.key, timer.kind);
    });
}

}  // namespace daybook
