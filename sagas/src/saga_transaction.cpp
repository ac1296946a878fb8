#include "saga_transaction.hpp"

#include <algorithm>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/is_json.hpp"

namespace daybook::detail {

namespace {

constexpr std::size_t note_bytes_max = 500;
// Limits the data that is kept of a reply that could not be handled.
constexpr std::size_t held_bytes_max = std::size_t{1} << 20;

// Calls a function of the program. Any exception becomes an InvalidError.
template <class Call>
auto guarded(const std::string& what, Call&& call) {
    try {
        return call();
    } catch (const std::exception& error) {
        throw InvalidError(what + " failed: " + plain_text(error.what()));
    } catch (...) {
        throw InvalidError(what + " failed with " + std::string(no_exception));
    }
}

HeldInput held_from(const CommandRef& ref, const std::string& step, const Message& message) {
    return {clean_text(message.type),
            message.schema_version,
            clean_text(message.data, held_bytes_max),
            step,
            ref.kind == CommandKind::undo,
            ref.command_number};
}

Message message_from(const HeldInput& held) {
    Message message;
    message.type = held.type;
    message.schema_version = held.schema_version;
    message.data = held.data;
    return message;
}

struct TypeOfInput {
    Verdict verdict;

    const EventType& operator()(const ClockInput&) const { return clock_set_back_type; }
    const EventType& operator()(const StartInput&) const { return started_type; }
    const EventType& operator()(const ReplyInput&) const { return replied_type; }
    const EventType& operator()(const TimerInput&) const { return timer_fired_type; }
    const EventType& operator()(const OperatorInput&) const { return operated_type; }
    const EventType& operator()(const FaultInput&) const { return held_type; }
    const EventType& operator()(const SentInput&) const { return undo_sent_type; }
    const EventType& operator()(const StaleInput&) const { return ignored_type; }
};

const EventType& end_type(SagaStatus status) {
    switch (status) {
        case SagaStatus::completed: return completed_type;
        case SagaStatus::compensated: return compensated_type;
        case SagaStatus::cancelled: return cancelled_type;
        default: return failed_type;
    }
}

}  // namespace

std::string plain_text(std::string_view text) {
    std::string plain = clean_text(text, note_bytes_max);
    for (char& c : plain)
        if ((c >= 0 && c < 0x20) || c == 0x7F) c = '?';
    if (text.size() > note_bytes_max) plain += "...";
    return plain;
}

// ----- inputs

void SagaTransaction::start(const StartBinding& binding, const EventView& event) {
    std::string data;
    try {
        data = data_from(binding, event);
    } catch (const InvalidError& error) {
        apply(FaultInput{IncidentCause::start, plain_text(error.what()), {}});
        return;
    }
    apply(StartInput{std::move(data)});
}

void SagaTransaction::reply(const CommandRef& ref, const Message& message) {
    if (const Relevance found = relevance(state_, ref); !found.relevant) {
        apply(StaleInput{plain_text(found.why + " (" + message.type + ")")});
        return;
    }
    ReplyInput input{ref, Answer::success, message.type, {}};
    try {
        const ReplyBinding& binding = binding_of(ref, message.type);
        input.answer = binding.answer;
        input.data = data_after(binding, message);
    } catch (const InvalidError& error) {
        // The step is not the current one, so no operator is needed.
        if (ref.step != state_.step) {
            apply(StaleInput{plain_text(error.what())});
            return;
        }
        const std::string& step = state_.steps[ref.step].name;
        apply(FaultInput{IncidentCause::reply, plain_text(error.what()),
                         held_from(ref, step, message)});
        return;
    }
    if (input.answer != Answer::success) input.note = plain_text(message.type + " " + message.data);
    apply(input);
}

void SagaTransaction::operate(const OperatorInput& input, const EventView* event) {
    const IncidentCause cause = state_.cause;
    const std::optional<HeldInput> held = state_.held;
    apply(input);
    if (input.action != SagaAction::retry) return;
    if (cause == IncidentCause::start) {
        const auto& starts = definition_.bindings().starts;
        const auto binding = std::ranges::find_if(
            starts, [&](const auto& start) { return event && event->type() == start.type.name; });
        if (binding == starts.end())
            throw InvalidError("saga " + state_.id.to_string() +
                               ": the event that started it is not there any more");
        apply(StartInput{data_from(*binding, *event)});
    } else if (cause == IncidentCause::reply && held) {
        const CommandRef ref{state_.step, held->undo ? CommandKind::undo : CommandKind::forward,
                             held->command_number};
        const Message message = message_from(*held);
        const ReplyBinding& binding = binding_of(ref, held->type);
        ReplyInput reply{ref, binding.answer, held->type, data_after(binding, message)};
        if (reply.answer != Answer::success) reply.note = plain_text(held->type + " " + held->data);
        apply(reply);
    }
}

void SagaTransaction::complete(OperatorInput input, const Message* reply) {
    const CommandRef ref = current_ref();
    if (reply != nullptr && state_.current() != nullptr) {
        const ReplyBinding& binding = binding_of(ref, reply->type);
        if (binding.answer != Answer::success)
            throw InvalidError("saga " + state_.id.to_string() + ": " + reply->type +
                               " is not an answer of success");
        input.data = data_after(binding, *reply);
    } else if (ref.kind == CommandKind::forward && state_.current() != nullptr) {
        throw InvalidError("saga " + state_.id.to_string() + ": to complete step " +
                           state_.current()->name + " give the reply that it would have had");
    }
    apply(input);
}

bool SagaTransaction::apply(const SagaInput& input) {
    Reaction reaction = react(definition_.plan(), state_, input, tx_.now());
    if (reaction.verdict == Verdict::refused)
        throw InvalidError("saga " + state_.id.to_string() + ": " + reaction.text);
    const bool ignored = reaction.verdict == Verdict::ignored;
    // An ignored timer, action or clock change is not recorded.
    if (ignored &&
        (std::holds_alternative<TimerInput>(input) ||
         std::holds_alternative<OperatorInput>(input) || std::holds_alternative<ClockInput>(input)))
        return false;
    state_ = std::move(reaction.state);
    const EventType& type = ignored ? ignored_type : std::visit(TypeOfInput{}, input);
    add_entry(type, std::move(reaction.text), encode_input(input, state_));
    for (const SagaEffect& effect : reaction.effects) carry_out(effect);
    if (undo_needs_no_answer(definition_.plan(), state_)) apply(SentInput{});
    return true;
}

// ----- effects

void SagaTransaction::carry_out(const SagaEffect& effect) {
    if (const auto* command = std::get_if<SendCommand>(&effect)) {
        send(command->ref);
    } else if (const auto* timer = std::get_if<ArmTimer>(&effect)) {
        write_timer(detail::store_sql(tx_), state_, timer->kind, timer->due_at);
    } else if (const auto* cancelled = std::get_if<CancelTimer>(&effect)) {
        sync_timer(detail::store_sql(tx_), state_, cancelled->kind);
    } else {
        end(std::get<EndSaga>(effect).status);
    }
}

void SagaTransaction::send(const CommandRef& ref) {
    PublishOptions options;
    options.key = state_.id.to_string();
    options.id = command_id(state_, ref);
    options.reply_to = definition_.reply_topic();
    options.headers = encode_headers({state_.id, state_.generation, state_.hash,
                                      state_.steps[ref.step].name, ref.kind, ref.command_number});
    try {
        publish(command_of(ref), std::move(options));
    } catch (const InvalidError& error) {
        apply(FaultInput{IncidentCause::send, plain_text(error.what()), {}});
    }
}

void SagaTransaction::end(SagaStatus status) {
    const auto& ends = definition_.bindings().ends;
    const auto found = std::ranges::find(ends, status, &EndBinding::end);
    // A saga that never started has no data for the message.
    const bool was_started = state_.steps.front().status != StepStatus::waiting;
    if (found != ends.end() && was_started) {
        PublishOptions options;
        options.key = state_.id.to_string();
        options.id = EventId::from_name("saga-end/" + state_.id.definition + "/" +
                                        std::to_string(state_.generation) + "/" +
                                        std::string(to_string(status)) + "/" + state_.id.key);
        try {
            publish(found->message, std::move(options));
        } catch (const InvalidError& error) {
            apply(FaultInput{IncidentCause::end, plain_text(error.what()), {}});
            return;
        }
    }
    add_entry(end_type(status), "ended as " + std::string(to_string(status)), "{}");
}

void SagaTransaction::publish(const CommandBinding& command, PublishOptions options) {
    EncodedMessage encoded = guarded("the message " + std::string(command.type.name),
                                     [&] { return command.make(state_.data); });
    try {
        tx_.publish({command.topic, encoded.type, std::move(encoded.data), std::move(options)});
    } catch (const DuplicateError&) {
        // The same command waits in the outbox from an earlier attempt.
    }
}

void SagaTransaction::add_entry(const EventType& type, std::string text, std::string input) {
    new_entries_.push_back(
        {type, {state_.status, state_.generation, std::move(text), std::move(input), {}}});
}

// ----- functions of the definition

std::string SagaTransaction::checked(std::string data) const {
    if (data.size() > data_bytes_max_)
        throw InvalidError("its data of " + std::to_string(data.size()) +
                           " bytes is over the limit of " + std::to_string(data_bytes_max_));
    if (!is_json(data)) throw InvalidError("its data is not JSON, or its text not UTF-8");
    return data;
}

std::string SagaTransaction::data_from(const StartBinding& binding, const EventView& event) const {
    return checked(
        guarded("starting from " + std::string(event.type()), [&] { return binding.data(event); }));
}

std::string SagaTransaction::data_after(const ReplyBinding& binding, const Message& message) const {
    return checked(guarded("taking the answer " + message.type,
                           [&] { return binding.apply(state_.data, message); }));
}

const CommandBinding& SagaTransaction::command_of(const CommandRef& ref) const {
    const StepBinding& step = definition_.bindings().steps.at(ref.step);
    return ref.kind == CommandKind::undo ? step.undo.value() : step.forward.value();
}

const ReplyBinding& SagaTransaction::binding_of(const CommandRef& ref,
                                                std::string_view type) const {
    const auto& replies = command_of(ref).replies;
    const auto found = std::ranges::find_if(
        replies, [&](const ReplyBinding& reply) { return reply.type.name == type; });
    if (found != replies.end()) return *found;
    throw InvalidError("saga " + state_.id.to_string() + ": step " + state_.steps[ref.step].name +
                       " knows no answer " + std::string(type));
}

CommandRef SagaTransaction::current_ref() const {
    const bool back =
        state_.status == SagaStatus::compensating ||
        (state_.status == SagaStatus::incident && state_.resume == SagaStatus::compensating);
    return {state_.step, back ? CommandKind::undo : CommandKind::forward, 0};
}

const EventType& SagaTransaction::success_type() const {
    const EventType* only = nullptr;
    if (state_.current() != nullptr) {
        for (const ReplyBinding& reply : command_of(current_ref()).replies) {
            if (reply.answer != Answer::success) continue;
            if (only != nullptr)
                throw InvalidError("saga " + state_.id.to_string() +
                                   ": its step has several answers of success; say which");
            only = &reply.type;
        }
    }
    if (only != nullptr) return *only;
    throw InvalidError("saga " + state_.id.to_string() + ": no step of it awaits an answer");
}

}  // namespace daybook::detail
