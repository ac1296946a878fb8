#include <algorithm>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/sagas/saga_index.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "orchestrator_state.hpp"

namespace daybook {

namespace {

// How often to check whether the store behind the connection was replaced.
constexpr std::chrono::milliseconds identity_interval{500};

// How soon to retry starts that were left to another process, which may have died.
constexpr std::chrono::milliseconds recheck_interval{50};

}  // namespace

// ----- running

std::size_t SagaOrchestrator::State::run_once() {
    check_identity();
    std::size_t done = 0;
    std::exception_ptr thrown;
    std::size_t checked = 0;
    for (const auto& entry : definitions.newest()) {
        try {
            if (const auto started = start_new(entry.second)) {
                done += *started;
                ++checked;
            }
        } catch (const ConflictError&) {
            // Another process was faster; the next run reads its checkpoint.
        } catch (const Error& error) {
            if (is_store_error(error)) throw;
            report_error("saga '" + entry.first + "' cannot start: " + error.what());
        } catch (...) {
            // Thrown by a commit hook. Thrown to the caller after the other definitions and timers.
            thrown = std::current_exception();
        }
    }
    starts_wait_ = checked < definitions.newest().size();
    done += fire_due();
    if (thrown) std::rethrow_exception(thrown);
    return done;
}

bool SagaOrchestrator::State::is_store_error(const std::exception& error) noexcept {
    const auto* const known = dynamic_cast<const Error*>(&error);
    // A statement that was cancelled from outside had no effect, like one that was never sent.
    return is_transient(error) || (known != nullptr && known->kind() == ErrorKind::cancelled);
}

void SagaOrchestrator::State::drop_caches() {
    const MutexLock lock{mutex_};
    checkpoints_.clear();
    identity_checked_.reset();
}

void SagaOrchestrator::State::check_identity() {
    const auto now = std::chrono::steady_clock::now();
    const MutexLock lock{mutex_};
    if (identity_checked_ && now - *identity_checked_ < identity_interval) return;
    const EventId identity = store.identity();
    if (identity != identity_) {
        checkpoints_.clear();
        in_progress_.clear();
        failed_.clear();
        identity_ = identity;
    }
    identity_checked_ = now;
}

NextStep SagaOrchestrator::State::step() {
    return run_once() > 0 ? NextStep::now() : NextStep::after_commit(sleep_time());
}

void SagaOrchestrator::State::wait(const std::exception_ptr& why) {
    drop_caches();
    const MutexLock lock{mutex_};
    last_error_ = "the sagas wait: " + error_text(why);
}

std::chrono::milliseconds SagaOrchestrator::State::sleep_time() const {
    using std::chrono::milliseconds;
    const auto next = next_due();
    if (!next) return options.sleep_max;
    const auto until =
        std::chrono::ceil<milliseconds>(saturating_difference(*next, store.clock().now()));
    const auto shortest =
        std::min(starts_wait_ ? recheck_interval : milliseconds{1}, options.sleep_max);
    return std::clamp(until, shortest, options.sleep_max);
}

void SagaOrchestrator::State::report_error(const std::string& text) {
    // An error that each run repeats is logged once. It is logged before `last_error` returns it.
    if (last_error() == text) return;
    store.log(LogLevel::error, text);
    const MutexLock lock{mutex_};
    last_error_ = text;
}

std::string SagaOrchestrator::State::last_error() const {
    const MutexLock lock{mutex_};
    return last_error_;
}

SagaOrchestrator::SagaOrchestrator(EventStore store, SagaOptions options)
    : state_(std::make_shared<State>(std::move(store), options)) {
    if (options.starts_max == 0 || options.timers_max == 0)
        throw InvalidError("sagas: starts_max and timers_max must be at least 1");
    if (options.sleep_max <= options.sleep_max.zero())
        throw InvalidError("sagas: sleep_max must be longer than 0");
}

SagaOrchestrator::SagaOrchestrator(EventStore store, LocalTransport& transport, SagaOptions options)
    : SagaOrchestrator(std::move(store), options) {
    transport_ = &transport;
}

SagaOrchestrator::~SagaOrchestrator() { stop(); }

void SagaOrchestrator::add(const SagaDefinition& definition) {
    if (!state_->definitions.add(definition) || transport_ == nullptr) return;
    // The transport may deliver for longer than this handle lives.
    transport_->consume(
        definition.reply_topic(), definition.reply_topic(),
        [state = state_](const Message& reply, Transaction& tx) { state->handle_reply(reply, tx); },
        [state = state_](const Message& reply) { return state->takes(reply); });
}

std::size_t SagaOrchestrator::run_once() { return state_->run_once(); }
std::optional<Timestamp> SagaOrchestrator::next_due() const { return state_->next_due(); }

void SagaOrchestrator::start() {
    state_->worker.start([state = state_.get()](const auto&) { return state->step(); });
}

void SagaOrchestrator::stop() { state_->worker.stop(); }

std::string SagaOrchestrator::last_error() const { return state_->last_error(); }

void SagaOrchestrator::handle_reply(const Message& reply, Transaction& tx) {
    state_->handle_reply(reply, tx);
}

// ----- queries

SagaExplanation SagaOrchestrator::explain(const SagaId& id) const {
    return SagaIndex{state_->store}.explain(id);
}

std::vector<SagaSummary> SagaOrchestrator::unknown() const {
    const SagaIndex index{state_->store};
    std::vector<SagaSummary> unknown;
    SagaFilter filter{.unfinished = true};
    for (;;) {
        const auto page = index.list(filter);
        for (const SagaSummary& saga : page)
            if (!state_->definitions.contains_hash(saga.hash)) unknown.push_back(saga);
        if (page.size() < filter.limit) return unknown;
        filter.after = page.back().id;
    }
}

// ----- actions of an operator

SagaExplanation SagaOrchestrator::State::act(
    const SagaId& id, const SagaOperator& by,
    const std::function<void(detail::SagaTransaction&, Transaction&)>& action) {
    if (by.actor.empty())
        throw InvalidError("saga " + id.to_string() + ": say who acts, it goes into its history");
    store.transact([&](Transaction& tx) {
        const StreamName stream = saga_stream(id);
        auto saga = detail::load_saga(tx, id);
        if (!saga) throw NotFoundError("no saga " + id.to_string());
        if (by.seen && *by.seen != saga->journal)
            throw ConflictError(Conflict{stream, at_version(*by.seen), saga->journal});
        tx.set_trace({saga->state.correlation, {}});
        const SagaDefinition& definition = definitions.require(saga->state);
        detail::SagaTransaction saga_tx{tx, definition, std::move(*saga), data_bytes_max};
        action(saga_tx, tx);
        if (saga_tx.has_changes()) saga_tx.store();
    });
    return SagaIndex{store}.explain(id);
}

namespace {

detail::OperatorInput input_of(SagaAction action, const SagaOperator& by) {
    return {action, clean_text(by.actor), clean_text(by.reason), {}};
}

// The start event of a saga whose start failed; a retry starts the saga from it again.
std::optional<RecordedEvent> start_event(Transaction& tx, const SagaState& state) {
    if (state.cause != IncidentCause::start) return std::nullopt;
    for (const EventView event : tx.read_all({.from = state.started_by, .limit = 1}))
        return RecordedEvent{event};
    return std::nullopt;
}

}  // namespace

SagaExplanation SagaOrchestrator::retry(const SagaId& id, const SagaOperator& by) {
    return state_->act(id, by, [&](detail::SagaTransaction& saga_tx, Transaction& tx) {
        const auto event = start_event(tx, saga_tx.state());
        std::optional<EventView> view;
        if (event) view = event->view();
        saga_tx.operate(input_of(SagaAction::retry, by), view ? &*view : nullptr);
    });
}

SagaExplanation SagaOrchestrator::skip(const SagaId& id, const SagaOperator& by) {
    return state_->act(id, by, [&](detail::SagaTransaction& saga_tx, Transaction&) {
        saga_tx.operate(input_of(SagaAction::skip, by), nullptr);
    });
}

SagaExplanation SagaOrchestrator::cancel(const SagaId& id, const SagaOperator& by) {
    return state_->act(id, by, [&](detail::SagaTransaction& saga_tx, Transaction&) {
        saga_tx.operate(input_of(SagaAction::cancel, by), nullptr);
    });
}

SagaExplanation SagaOrchestrator::complete_with(const SagaId& id, const SagaOperator& by,
                                                const NewEvent* reply) {
    return state_->act(id, by, [&](detail::SagaTransaction& saga_tx, Transaction&) {
        Message message;
        if (reply != nullptr) {
            message.type = reply->type.name;
            message.schema_version = reply->type.version;
            message.data = reply->data;
        }
        saga_tx.complete(input_of(SagaAction::complete, by), reply == nullptr ? nullptr : &message);
    });
}

SagaExplanation SagaOrchestrator::complete_json(const SagaId& id, const SagaOperator& by,
                                                const std::string& json) {
    return state_->act(id, by, [&](detail::SagaTransaction& saga_tx, Transaction&) {
        const EventType& type = saga_tx.success_type();
        Message message;
        message.type = type.name;
        message.schema_version = type.version;
        message.data = json;
        saga_tx.complete(input_of(SagaAction::complete, by), &message);
    });
}

}  // namespace daybook
