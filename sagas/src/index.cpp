#include <map>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/messaging/dead_letters.hpp"
#include "daybook/sagas/saga_index.hpp"
#include "enum_names.hpp"
#include "journal.hpp"
#include "machine.hpp"
#include "statements.hpp"

namespace daybook {

namespace {

// The WHERE clause of a list and its parameters. They refer to the filter, which must outlive them.
struct Condition {
    std::string text;
    std::vector<SqlValue> parameters;
};

Condition condition_of(const SagaFilter& filter) {
    static const SagaId before_all{};
    const SagaId& after = filter.after ? *filter.after : before_all;
    Condition condition;
    if (filter.definition.empty()) {
        condition.text = detail::sql::where_after;
        condition.parameters = {after.definition, after.key};
    } else {
        condition.text = detail::sql::where_definition;
        condition.parameters = {filter.definition, after.key};
    }
    if (filter.status) {
        condition.text += detail::sql::where_status;
        condition.parameters.emplace_back(to_string(*filter.status));
    }
    if (filter.unfinished) condition.text += detail::sql::where_unfinished;
    return condition;
}

std::optional<Timestamp> optional_instant(const SqlRow& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return row.timestamp(column);
}

SagaSummary summary_of(const SqlRow& row) {
    SagaSummary summary;
    summary.id = {std::string(row.text(0)), std::string(row.text(1))};
    summary.generation = static_cast<int>(row.integer(2));
    summary.version = static_cast<int>(row.integer(3));
    summary.status = detail::parse_enum<SagaStatus>(row.text(4));
    summary.step = row.text(5);
    summary.error = row.text(6);
    summary.waiting_since = optional_instant(row, 7);
    summary.due_at = optional_instant(row, 8);
    summary.updated_at = row.timestamp(9);
    summary.hash = row.text(10);
    return summary;
}

EventFilter journal_filter() {
    EventFilter filter{{"saga"}, {}};
    for (const EventType& type : detail::journal_types) filter.types.emplace_back(type.name);
    return filter;
}

}  // namespace

std::vector<SagaSummary> SagaIndex::list(const SagaFilter& filter) const {
    Condition condition = condition_of(filter);
    const std::string statement = std::string(detail::sql::saga_columns) + condition.text +
                                  std::string(detail::sql::in_order);
    condition.parameters.emplace_back(filter.limit);
    std::vector<SagaSummary> sagas;
    detail::query_store(store_, [&](Sql& sql) {
        sagas.clear();
        sql.query(statement, condition.parameters,
                  [&](const SqlRow& row) { sagas.push_back(summary_of(row)); });
    });
    return sagas;
}

std::size_t SagaIndex::count(const SagaFilter& filter) const {
    const Condition condition = condition_of(filter);
    const std::string statement = std::string(detail::sql::count_sagas) + condition.text;
    std::size_t count = 0;
    detail::query_store(store_, [&](Sql& sql) {
        sql.query(statement, condition.parameters,
                  [&](const SqlRow& row) { count = static_cast<std::size_t>(row.integer(0)); });
    });
    return count;
}

std::vector<SagaFailedStart> SagaIndex::failed_starts(std::size_t limit) const {
    std::vector<SagaFailedStart> failed;
    detail::query_store(store_, [&](Sql& sql) {
        failed.clear();
        sql.each(
            detail::sql::list_failed_starts,
            [&](const SqlRow& row) {
                failed.push_back({std::string(row.text(0)),
                                  Position{static_cast<std::uint64_t>(row.integer(1))},
                                  std::string(row.text(2)), row.timestamp(3)});
            },
            limit);
    });
    return failed;
}

SagaExplanation SagaIndex::explain(const SagaId& id) const {
    auto saga = detail::load_saga(store_, id);
    if (!saga) throw NotFoundError("no saga " + id.to_string());
    SagaExplanation explanation = detail::explain(std::move(saga->state), saga->journal);
    for (const EventView event : store_.read(saga_stream(id)))
        if (!detail::is_entry_type(event.type())) ++explanation.foreign_events;
    detail::add_dead_letters(explanation, DeadLetters{store_}.list({.key = id.to_string()}));
    return explanation;
}

std::vector<SagaHistoryEntry> SagaIndex::history(const SagaId& id) const {
    std::vector<SagaHistoryEntry> history;
    SagaHistoryEntry last;
    bool is_saga = false;
    for (const EventView event : store_.read(saga_stream(id))) {
        last.version = event.version();
        last.at = event.recorded_at();
        last.type = event.type();
        if (detail::is_entry_type(event.type())) {
            detail::JournalEntry entry = detail::decode_entry(event.data());
            last.generation = entry.generation;
            last.status = entry.status;
            last.text = std::move(entry.text);
            last.input = std::move(entry.input);
            is_saga = true;
        } else {
            last.text = "passed over: no entry of a journal, written by somebody else";
            last.input = "{}";
        }
        history.push_back(last);
    }
    if (!is_saga) throw NotFoundError("no saga " + id.to_string());
    return history;
}

std::size_t SagaIndex::rebuild() {
    std::size_t sagas = 0;
    store_.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        sql.exec(detail::sql::delete_sagas);
        sql.exec(detail::sql::delete_timers);
        std::map<std::string, Version, std::less<>> newest;
        for (const EventView event : tx.read_all({.filter = journal_filter()}))
            newest.insert_or_assign(std::string(event.stream()), event.version());
        for (const auto& entry : newest) {
            const auto [version, state] = detail::load_journal(
                [&](const StreamName& name, StreamRead part) { return tx.read(name, part); },
                StreamName{entry.first});
            if (!state) continue;
            detail::write_index(sql, *state, version);
            for (const SagaTimerKind kind :
                 {SagaTimerKind::timeout, SagaTimerKind::retry, SagaTimerKind::deadline})
                detail::sync_timer(sql, *state, kind);
        }
        sagas = newest.size();
    });
    return sagas;
}

}  // namespace daybook
