#include <algorithm>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/conflict_error.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker_name.hpp"
#include "orchestrator_state.hpp"
#include "statements.hpp"

// Starts sagas from the events after each definition's checkpoint. The checkpoint moves in the
// transaction that starts the sagas, so an event starts its saga once, however many processes read
// it.
//
//     a page of events in one transaction
//       │ the transaction fails              │ another process died here
//       ▼                                    ▼
//     one transaction per event            the same, by one process only, which counts each
//       │                                  attempt in the store before it makes it
//       │ three failures                     │ three crashes
//       └──────────────┬────────────────────┘
//                      ▼
//     an incident instead of the saga
//                      │ cannot be stored either
//                      ▼
//     a row in daybook_saga_failed_start
//
// An event that cannot start its saga thus stops no other start, and an operator can find it.

namespace daybook {

namespace {

// Without a start, the checkpoint is stored only after this many events: each time costs a commit.
constexpr std::uint64_t unsaved_max = 10'000;

// How often a start may fail before it is recorded as failed.
constexpr int start_attempts_max = 3;

Position stored_checkpoint(Sql& sql, const std::string& definition) {
    const auto stored = sql.integer(detail::sql::load_start, definition);
    return Position{static_cast<std::uint64_t>(stored.value_or(0))};
}

const detail::StartBinding* binding_for(const SagaDefinition& definition, const EventView& event) {
    const auto& starts = definition.bindings().starts;
    const auto found = std::ranges::find_if(
        starts, [&](const auto& start) { return start.type.name == event.type(); });
    return found == starts.end() ? nullptr : &*found;
}

// The checkpoint after this row of the page.
Position checkpoint_after(const EventPage& page, const EventRow& row) {
    return &row == &page.rows.back() ? page.scanned_to : row.position;
}

struct ChosenId {
    SagaId id;
    std::string key_error{};
};

// An event without a usable key still starts a saga, with the event's id as the key; it is an
// incident at once, so that an operator can find it.
ChosenId id_for(const SagaDefinition& definition, const detail::StartBinding& binding,
                const EventView& event) {
    std::string key_error = "its key is empty";
    try {
        SagaId id{definition.name(), binding.key(event)};
        saga_stream(id);
        if (!id.key.empty()) return {std::move(id)};
    } catch (const std::exception& error) {
        key_error = "its key is unusable: " + detail::plain_text(error.what());
    } catch (...) {
        key_error = "its key is unusable";
    }
    return {{definition.name(), event.id().to_string()}, std::move(key_error)};
}

}  // namespace

bool SagaOrchestrator::State::is_store_error_or_conflict(const std::exception& error) noexcept {
    return is_store_error(error) || dynamic_cast<const ConflictError*>(&error) != nullptr;
}

Position SagaOrchestrator::State::checkpoint(const SagaDefinition& definition) const {
    {
        const MutexLock lock{mutex_};
        if (const auto found = checkpoints_.find(definition.name()); found != checkpoints_.end())
            return found->second;
    }
    Position stored;
    detail::query_store(store,
                        [&](Sql& sql) { stored = stored_checkpoint(sql, definition.name()); });
    if (const Position head = store.head(); stored > head) {
        throw InvalidError("the log ends at position " + std::to_string(head.value()) +
                           ", but its starts are looked for behind position " +
                           std::to_string(stored.value()) +
                           ": nothing starts until the log has grown so far");
    }
    return stored;
}

void SagaOrchestrator::State::advance_checkpoint(const SagaDefinition& definition,
                                                 Position position) {
    const MutexLock lock{mutex_};
    Position& checkpoint = checkpoints_[definition.name()];
    checkpoint = std::max(checkpoint, position);
}

std::optional<std::size_t> SagaOrchestrator::State::start_new(const SagaDefinition& definition) {
    const Position from = checkpoint(definition);
    EventFilter filter;
    for (const auto& start : definition.bindings().starts)
        filter.types.emplace_back(start.type.name);
    EventPage page;
    detail::read_page(
        store, {.from = from.next().value(), .filter = &filter, .events_max = options.starts_max},
        page);
    if (page.rows.empty() && page.scanned_to.value() < from.value() + unsaved_max) {
        advance_checkpoint(definition, page.scanned_to);
        return 0;
    }
    std::size_t started = 0;
    if (page.rows.empty()) {
        start_all(definition, {}, page.scanned_to);
    } else if (mark_in_progress(definition.name())) {
        started = start_page(definition, page);
    } else if (const auto each = start_counted(definition, page)) {
        started = *each;
    } else {
        return std::nullopt;
    }
    advance_checkpoint(definition, page.scanned_to);
    return started;
}

bool SagaOrchestrator::State::mark_in_progress(const std::string& definition) {
    {
        const MutexLock lock{mutex_};
        if (const auto found = in_progress_.find(definition); found != in_progress_.end())
            return found->second.only_mark;
    }
    // Once per process. If the process dies before it removes the mark, the next process finds it.
    std::int64_t processes = 0;
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        sql.exec(detail::sql::mark_in_progress, definition);
        processes = sql.integer(detail::sql::load_in_progress, definition).value_or(0);
    });
    const bool only_mark = processes <= 1;
    const MutexLock lock{mutex_};
    in_progress_[definition] = {.only_mark = only_mark};
    return only_mark;
}

void SagaOrchestrator::State::clear_in_progress(const std::string& definition) {
    {
        const MutexLock lock{mutex_};
        if (in_progress_[definition].cleared) return;
    }
    store.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(detail::sql::clear_in_progress, definition);
    });
    const MutexLock lock{mutex_};
    in_progress_[definition] = {.only_mark = true, .cleared = true};
}

std::size_t SagaOrchestrator::State::start_page(const SagaDefinition& definition,
                                                const EventPage& page) {
    std::size_t started = 0;
    try {
        // A single event is handled below.
        if (page.rows.size() > 1) {
            started = start_all(definition, page.rows, page.scanned_to);
            clear_in_progress(definition.name());
            return started;
        }
    } catch (const std::exception& error) {
        if (is_store_error_or_conflict(error)) throw;
    } catch (...) {
        // One transaction per event, below, finds the event that failed.
    }
    for (const EventRow& row : page.rows)
        started += start_or_record_failure(definition, row, checkpoint_after(page, row));
    clear_in_progress(definition.name());
    return started;
}

// Requires a lease: several processes that start at once would otherwise count each other's
// attempts as crashes.
std::optional<std::size_t> SagaOrchestrator::State::start_counted(const SagaDefinition& definition,
                                                                  const EventPage& page) {
    Leases leases{store};
    const auto lease = leases.try_acquire("saga-starts/" + definition.name(), detail::worker_name(),
                                          recovery_lease);
    if (!lease) return std::nullopt;
    std::size_t started = 0;
    for (const EventRow& row : page.rows) {
        if (count_attempt(definition, row.position) > crashes_max) {
            record_start_failure(definition, row, checkpoint_after(page, row),
                                 "the process died at each of " + std::to_string(crashes_max) +
                                     " attempts to start it");
            ++started;
        } else {
            started += start_or_record_failure(definition, row, checkpoint_after(page, row));
        }
    }
    clear_in_progress(definition.name());
    leases.release(*lease);
    return started;
}

// Commits the count before the attempt, since a process that dies at the attempt cannot count it.
// Counts once per process and event: a process that gets here again has survived its attempt.
std::int64_t SagaOrchestrator::State::count_attempt(const SagaDefinition& definition,
                                                    Position event) {
    const MutexLock lock{counting_mutex_};
    std::int64_t attempts = 0;
    const bool counted = counted_[definition.name()] == event;
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        if (!counted) sql.exec(detail::sql::count_start, event, event, definition.name());
        attempts =
            sql.integer(detail::sql::load_start_attempts, definition.name(), event).value_or(0);
    });
    counted_[definition.name()] = event;
    return attempts;
}

std::size_t SagaOrchestrator::State::start_all(const SagaDefinition& definition,
                                               std::span<const EventRow> rows,
                                               Position new_checkpoint, const std::string& fault) {
    std::size_t started = 0;
    store.transact([&](Transaction& tx) {
        started = 0;
        const Position before = stored_checkpoint(detail::store_sql(tx), definition.name());
        for (const EventRow& row : rows) {
            if (row.position <= before) continue;
            start_one(tx, definition, EventView{row}, fault);
            ++started;
        }
        if (new_checkpoint > before)
            detail::store_sql(tx).exec(detail::sql::save_start, definition.name(), new_checkpoint);
    });
    return started;
}

std::size_t SagaOrchestrator::State::start_or_record_failure(const SagaDefinition& definition,
                                                             const EventRow& row,
                                                             Position new_checkpoint) {
    std::string why{detail::no_exception};
    try {
        return start_all(definition, {&row, 1}, new_checkpoint);
    } catch (const std::exception& error) {
        // The next run may succeed; until then the events after this one wait.
        if (is_store_error_or_conflict(error) || may_retry_start(definition, row.position)) throw;
        why = error.what();
    } catch (...) {
        if (may_retry_start(definition, row.position)) throw;
    }
    record_start_failure(definition, row, new_checkpoint, why);
    return 1;
}

bool SagaOrchestrator::State::may_retry_start(const SagaDefinition& definition, Position event) {
    const MutexLock lock{mutex_};
    auto& [failed, failures] = failed_[definition.name()];
    if (failed != event) failures = 0;
    failed = event;
    return ++failures < start_attempts_max;
}

void SagaOrchestrator::State::record_start_failure(const SagaDefinition& definition,
                                                   const EventRow& row, Position new_checkpoint,
                                                   const std::string& why) {
    report_error("saga '" + definition.name() + "' is not started by event " +
                 std::to_string(row.position.value()) + ": " + why);
    try {
        start_all(definition, {&row, 1}, new_checkpoint, why);
        return;
    } catch (const std::exception& error) {
        if (is_store_error_or_conflict(error)) throw;
    } catch (...) {}
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        if (row.position <= stored_checkpoint(sql, definition.name())) return;
        sql.exec(detail::sql::insert_failed_start, definition.name(), row.position, clean_text(why),
                 tx.now());
        sql.exec(detail::sql::save_start, definition.name(), new_checkpoint);
    });
}

void SagaOrchestrator::State::start_one(Transaction& tx, const SagaDefinition& definition,
                                        const EventView& event, const std::string& fault) {
    const auto* binding = binding_for(definition, event);
    if (binding == nullptr) return;
    const auto [id, key_error] = id_for(definition, *binding, event);
    tx.set_trace(event.trace());
    auto [journal, before] = detail::load_journal(
        [&](const StreamName& name, StreamRead part) { return tx.read(name, part); },
        saga_stream(id));
    if (before && before->started_by >= event.position()) return;
    if (before && !has_ended(before->status)) {
        detail::SagaTransaction saga_tx{
            tx, definition, {std::move(*before), journal}, data_bytes_max};
        saga_tx.apply(detail::StaleInput{"event " + std::to_string(event.position().value()) +
                                         " would start it, but it has not ended"});
        return saga_tx.store();
    }
    const int generation = before ? before->generation + 1 : 1;
    SagaState state = detail::new_saga(definition.plan(), id, generation, tx.now());
    state.started_by = event.position();
    state.correlation = event.correlation();
    detail::SagaTransaction saga_tx{tx, definition, {std::move(state), journal}, data_bytes_max};
    const std::string& error = fault.empty() ? key_error : fault;
    if (error.empty()) {
        saga_tx.start(*binding, event);
    } else {
        saga_tx.apply(detail::FaultInput{IncidentCause::start, detail::plain_text(error), {}});
    }
    saga_tx.store();
}

// ----- actions of an operator

void SagaOrchestrator::State::take_failed_start(
    std::string_view definition, Position event, const SagaOperator& by,
    const std::function<void(Transaction&, const SagaDefinition&)>& action) {
    const std::string name{definition};
    const std::string what = "saga '" + name + "', start by event " + std::to_string(event.value());
    if (by.actor.empty()) throw InvalidError(what + ": say who acts");
    const auto found = definitions.newest().find(definition);
    if (found == definitions.newest().end())
        throw UnavailableError(what + ": this program does not have that definition: add it");
    store.transact([&](Transaction& tx) {
        if (detail::store_sql(tx).exec(detail::sql::delete_failed_start, name, event) == 0)
            throw NotFoundError(what + " is not among those that failed");
        action(tx, found->second);
    });
}

void SagaOrchestrator::retry_start(std::string_view definition, Position event,
                                   const SagaOperator& by) {
    state_->take_failed_start(
        definition, event, by, [&](Transaction& tx, const SagaDefinition& newest) {
            for (const EventView start : tx.read_all({.from = event, .limit = 1}))
                state_->start_one(tx, newest, start, {});
        });
}

void SagaOrchestrator::skip_start(std::string_view definition, Position event,
                                  const SagaOperator& by) {
    state_->take_failed_start(definition, event, by, [](Transaction&, const SagaDefinition&) {});
    state_->store.log(LogLevel::warning,
                      "saga '" + std::string(definition) + "': the start by event " +
                          std::to_string(event.value()) + " was given up by " + by.actor +
                          (by.reason.empty() ? "" : ": ") + by.reason);
}

}  // namespace daybook
