#include <algorithm>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/conflict_error.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "orchestrator_state.hpp"
#include "statements.hpp"

// Sagas are started by reading the log behind a checkpoint of each definition. The checkpoint moves
// in the unit that starts the sagas, so an event starts one saga, whoever reads it, however often.
//
//     all of a page in one unit
//       │ the unit fails                     │ a process died here before
//       ▼                                    ▼
//     each event in a unit of its own      the same, each attempt counted ahead, one process only
//       │ that unit fails three times        │ three deaths
//       └──────────────┬────────────────────┘
//                      ▼
//     an incident in place of the saga ── cannot be stored either ──► a row in
//     daybook_saga_failed_start
//
// So one event that cannot start its saga keeps no other from starting, and is not lost from sight.

namespace daybook {

namespace {

// Without a start the checkpoint is stored only now and then: each store of it is a commit.
constexpr std::uint64_t unsaved_max = 10'000;

// How often a start may fail before it is held.
constexpr int looks_max = 3;

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

// How far the log is done with when this row of the page is.
Position done_after(const EventPage& page, const EventRow& row) {
    return &row == &page.rows.back() ? page.scanned_to : row.position;
}

struct ChosenId {
    SagaId id;
    std::string trouble{};
};

// An event that says no usable key still starts a saga, under the event's own id, and at once it
// is an incident: nothing that should have started is lost from sight.
ChosenId id_for(const SagaDefinition& definition, const detail::StartBinding& binding,
                const EventView& event) {
    std::string trouble = "its key is empty";
    try {
        SagaId id{definition.name(), binding.key(event)};
        saga_stream(id);
        if (!id.key.empty()) return {std::move(id)};
    } catch (const std::exception& error) {
        trouble = "its key is unusable: " + detail::plain_text(error.what());
    } catch (...) {
        trouble = "its key is unusable";
    }
    return {{definition.name(), event.id().to_string()}, std::move(trouble)};
}

}  // namespace

bool SagaOrchestrator::State::concerns_all(const std::exception& error) noexcept {
    return concerns_store(error) || dynamic_cast<const ConflictError*>(&error) != nullptr;
}

Position SagaOrchestrator::State::seen(const SagaDefinition& definition) const {
    {
        const std::lock_guard lock{mutex_};
        if (const auto found = seen_.find(definition.name()); found != seen_.end())
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

void SagaOrchestrator::State::saw(const SagaDefinition& definition, Position position) {
    const std::lock_guard lock{mutex_};
    Position& seen = seen_[definition.name()];
    seen = std::max(seen, position);
}

std::optional<std::size_t> SagaOrchestrator::State::start_new(const SagaDefinition& definition) {
    const Position from = seen(definition);
    EventFilter filter;
    for (const auto& start : definition.bindings().starts)
        filter.types.emplace_back(start.type.name);
    EventPage page;
    detail::read_page(
        store, {.from = from.next().value(), .filter = &filter, .events_max = options.starts_max},
        page);
    if (page.rows.empty() && page.scanned_to.value() < from.value() + unsaved_max) {
        saw(definition, page.scanned_to);
        return 0;
    }
    std::size_t started = 0;
    if (page.rows.empty()) {
        start_all(definition, {}, page.scanned_to);
    } else if (begin(definition.name())) {
        started = start_page(definition, page);
    } else if (const auto each = start_counted(definition, page)) {
        started = *each;
    } else {
        return std::nullopt;
    }
    saw(definition, page.scanned_to);
    return started;
}

bool SagaOrchestrator::State::begin(const std::string& definition) {
    {
        const std::lock_guard lock{mutex_};
        if (const auto found = begun_.find(definition); found != begun_.end())
            return found->second.alone;
    }
    // Once in the life of a process: should it die before the mark goes, the next one knows.
    std::int64_t processes = 0;
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        sql.exec(detail::sql::begin_starts, definition);
        processes = sql.integer(detail::sql::load_begun, definition).value_or(0);
    });
    const bool alone = processes <= 1;
    const std::lock_guard lock{mutex_};
    begun_[definition] = {.alone = alone};
    return alone;
}

void SagaOrchestrator::State::end_begun(const std::string& definition) {
    {
        const std::lock_guard lock{mutex_};
        if (begun_[definition].ended) return;
    }
    store.transact(
        [&](Transaction& tx) { detail::store_sql(tx).exec(detail::sql::end_begun, definition); });
    const std::lock_guard lock{mutex_};
    begun_[definition] = {.alone = true, .ended = true};
}

std::size_t SagaOrchestrator::State::start_page(const SagaDefinition& definition,
                                                const EventPage& page) {
    std::size_t started = 0;
    try {
        // One alone has its turn below.
        if (page.rows.size() > 1) {
            started = start_all(definition, page.rows, page.scanned_to);
            end_begun(definition.name());
            return started;
        }
    } catch (const std::exception& error) {
        if (concerns_all(error)) throw;
    } catch (...) {
        // Which of them it was shows when each stands alone.
    }
    for (const EventRow& row : page.rows)
        started += start_or_hold(definition, row, done_after(page, row));
    end_begun(definition.name());
    return started;
}

// Several processes that begin at once must not count each other's attempts as deaths.
std::optional<std::size_t> SagaOrchestrator::State::start_counted(const SagaDefinition& definition,
                                                                  const EventPage& page) {
    Leases leases{store};
    const auto lease = leases.try_acquire("saga-starts/" + definition.name(),
                                          EventId::generate().to_string(), counted_lease);
    if (!lease) return std::nullopt;
    std::size_t started = 0;
    for (const EventRow& row : page.rows) {
        if (count_attempt(definition, row.position) > deaths_max) {
            hold_start(definition, row, done_after(page, row),
                       "the process died at each of " + std::to_string(deaths_max) +
                           " attempts to start it");
            ++started;
        } else {
            started += start_or_hold(definition, row, done_after(page, row));
        }
    }
    end_begun(definition.name());
    leases.release(*lease);
    return started;
}

// Counted ahead, as the dead count nothing; once in a process, as one that failed is alive.
std::int64_t SagaOrchestrator::State::count_attempt(const SagaDefinition& definition,
                                                    Position event) {
    const std::lock_guard lock{counting_mutex_};
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
                                               std::span<const EventRow> rows, Position done,
                                               const std::string& fault) {
    std::size_t started = 0;
    store.transact([&](Transaction& tx) {
        started = 0;
        const Position before = stored_checkpoint(detail::store_sql(tx), definition.name());
        for (const EventRow& row : rows) {
            if (row.position <= before) continue;
            start_one(tx, definition, EventView{row}, fault);
            ++started;
        }
        if (done > before)
            detail::store_sql(tx).exec(detail::sql::save_start, definition.name(), done);
    });
    return started;
}

std::size_t SagaOrchestrator::State::start_or_hold(const SagaDefinition& definition,
                                                   const EventRow& row, Position done) {
    std::string why{detail::no_exception};
    try {
        return start_all(definition, {&row, 1}, done);
    } catch (const std::exception& error) {
        // What failed once may work at the next look; those behind it wait for so long.
        if (concerns_all(error) || may_look_again(definition, row.position)) throw;
        why = error.what();
    } catch (...) {
        if (may_look_again(definition, row.position)) throw;
    }
    hold_start(definition, row, done, why);
    return 1;
}

bool SagaOrchestrator::State::may_look_again(const SagaDefinition& definition, Position event) {
    const std::lock_guard lock{mutex_};
    auto& [failed, looks] = failed_[definition.name()];
    if (failed != event) looks = 0;
    failed = event;
    return ++looks < looks_max;
}

void SagaOrchestrator::State::hold_start(const SagaDefinition& definition, const EventRow& row,
                                         Position done, const std::string& why) {
    trouble("saga '" + definition.name() + "' is not started by event " +
            std::to_string(row.position.value()) + ": " + why);
    try {
        start_all(definition, {&row, 1}, done, why);
        return;
    } catch (const std::exception& error) {
        if (concerns_all(error)) throw;
    } catch (...) {}
    store.transact([&](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        if (row.position <= stored_checkpoint(sql, definition.name())) return;
        sql.exec(detail::sql::insert_failed_start, definition.name(), row.position, clean_text(why),
                 tx.now());
        sql.exec(detail::sql::save_start, definition.name(), done);
    });
}

void SagaOrchestrator::State::start_one(Transaction& tx, const SagaDefinition& definition,
                                        const EventView& event, const std::string& fault) {
    const auto* binding = binding_for(definition, event);
    if (binding == nullptr) return;
    const auto [id, key_trouble] = id_for(definition, *binding, event);
    tx.set_trace(event.trace());
    auto [journal, before] = detail::load_journal(
        [&](const StreamName& name, StreamRead part) { return tx.read(name, part); },
        saga_stream(id));
    if (before && before->started_by >= event.position()) return;
    if (before && !has_ended(before->status)) {
        detail::SagaUnit unit{tx, definition, {std::move(*before), journal}, data_bytes_max};
        unit.apply(detail::StaleInput{"event " + std::to_string(event.position().value()) +
                                      " would start it, but it has not ended"});
        return unit.store();
    }
    const int generation = before ? before->generation + 1 : 1;
    SagaState state = detail::new_saga(definition.plan(), id, generation, tx.now());
    state.started_by = event.position();
    state.correlation = event.correlation();
    detail::SagaUnit unit{tx, definition, {std::move(state), journal}, data_bytes_max};
    const std::string& trouble = fault.empty() ? key_trouble : fault;
    if (trouble.empty()) {
        unit.start(*binding, event);
    } else {
        unit.apply(detail::FaultInput{IncidentCause::start, detail::plain_text(trouble), {}});
    }
    unit.store();
}

// ----- by hand

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
