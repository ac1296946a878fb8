#include <algorithm>

#include "orchestrator_state.hpp"
#include "statements.hpp"

// Sagas are started by reading the log behind a checkpoint of each definition. The checkpoint moves
// in the unit that starts the sagas, so an event starts one saga, whoever reads it, however often.

namespace daybook {

namespace {

// Without a start the checkpoint is stored only now and then: each store of it is a commit.
constexpr std::uint64_t unsaved_max = 10'000;

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

Position SagaOrchestrator::State::seen(const SagaDefinition& definition) const {
    {
        const std::lock_guard lock{mutex_};
        if (const auto found = seen_.find(definition.name()); found != seen_.end())
            return found->second;
    }
    Position stored;
    store.query([&](Sql& sql) { stored = stored_checkpoint(sql, definition.name()); });
    return stored;
}

void SagaOrchestrator::State::saw(const SagaDefinition& definition, Position position) {
    const std::lock_guard lock{mutex_};
    Position& seen = seen_[definition.name()];
    seen = std::max(seen, position);
}

std::size_t SagaOrchestrator::State::start_new(const SagaDefinition& definition) {
    const Position from = seen(definition);
    EventFilter filter;
    for (const auto& start : definition.bindings().starts)
        filter.types.emplace_back(start.type.name);
    EventPage page;
    store.read_page(
        {.from = from.next().value(), .filter = &filter, .events_max = options.starts_max}, page);
    if (page.rows.empty() && page.scanned_to.value() < from.value() + unsaved_max) {
        saw(definition, page.scanned_to);
        return 0;
    }
    std::size_t started = 0;
    store.transact([&](Transaction& tx) {
        started = 0;
        const Position done = stored_checkpoint(tx.sql(), definition.name());
        for (const EventRow& row : page.rows) {
            if (row.position <= done) continue;
            start_one(tx, definition, EventView{row});
            ++started;
        }
        if (page.scanned_to > done)
            tx.sql().exec(detail::sql::save_start, definition.name(), page.scanned_to);
    });
    saw(definition, page.scanned_to);
    return started;
}

void SagaOrchestrator::State::start_one(Transaction& tx, const SagaDefinition& definition,
                                        const EventView& event) {
    const auto* binding = binding_for(definition, event);
    if (binding == nullptr) return;
    const auto [id, key_trouble] = id_for(definition, *binding, event);
    tx.set_trace(event.trace());
    std::optional<detail::LoadedSaga> before;
    try {
        before = detail::load_saga(tx.read(saga_stream(id), detail::newest_only));
    } catch (const CorruptError& error) {
        trouble("saga " + id.to_string() + " is not started by event " +
                std::to_string(event.position().value()) + ": " + error.what());
        return;
    }
    if (before && before->state.started_by >= event.position()) return;
    if (before && !has_ended(before->state.status)) {
        detail::SagaUnit unit{tx, definition, std::move(*before), options.data_bytes_max};
        unit.apply(detail::StaleInput{"event " + std::to_string(event.position().value()) +
                                      " would start it, but it has not ended"});
        return unit.store();
    }
    const int generation = before ? before->state.generation + 1 : 1;
    SagaState state = detail::new_saga(definition.plan(), id, generation, tx.now());
    state.started_by = event.position();
    state.correlation = event.correlation();
    const Version journal = before ? before->journal : Version{0};
    detail::SagaUnit unit{tx, definition, {std::move(state), journal}, options.data_bytes_max};
    if (key_trouble.empty()) {
        unit.start(*binding, event);
    } else {
        unit.apply(detail::FaultInput{IncidentCause::start, key_trouble, {}});
    }
    unit.store();
}

}  // namespace daybook
