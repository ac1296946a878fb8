#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_view.hpp"
#include "daybook/sagas/saga_definition.hpp"
#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

// The fluent interface that defines a saga. The builders are used in one expression; each call
// consumes the builder and returns the next one. `step` opens a step; `undo`, `pivot`, `retriable`
// and `read_only` close it. Only these four return a builder that has `step` and `build`, so a step
// that does not declare its reversibility does not compile.

namespace daybook {

template <class Data>
class SagaBuilder;
template <class Data>
class StepBuilder;
template <class Data>
class UndoBuilder;

/// Starts the definition of a saga over `Data`, a struct of the program that is stored as JSON.
/// `name` is 1 to 80 letters, digits, `.`, `-` and `_`; raise `version` when the steps change.
///
///     const auto fulfil_order = saga<OrderSaga>("fulfil-order", 1)
///         .starts_on<OrderPlaced>([](const OrderPlaced& e) { return OrderSaga{e.id, e.total}; })
///         .deadline(30min)
///         .step("reserve-stock")
///             .send("warehouse", [](const OrderSaga& s) { return ReserveStock{s.id}; })
///             .on<StockReserved>([](OrderSaga& s, const StockReserved& r) { s.hold = r.hold; })
///             .fails_on<StockRefused>()
///             .timeout(5s)
///             .retry(exponential(200ms, 2.0, 10s).full_jitter().attempts(6))
///             .undo([](const OrderSaga& s) { return ReleaseStock{s.id, s.hold}; })
///                 .undone_on<StockReleased>()
///         .step("charge")
///             .send("payments", [](const OrderSaga& s) { return Charge{s.id, s.total}; })
///             .on<Charged>()
///             .fails_on<PaymentDeclined>()
///             .pivot()
///         .step("ship")
///             .send("shipping", [](const OrderSaga& s) { return Ship{s.id}; })
///             .on<Shipped>()
///             .retriable()
///         .build();
///
/// The functions must be pure: each is called once per input, and its result is stored. The calls
/// may come from any thread.
template <class Data>
SagaBuilder<Data> saga(std::string name, int version);

namespace detail {

template <class Data>
Data decode_data(std::string_view json) {
    Data data{};
    Codec<Data>::decode(json, data);
    return data;
}

template <class Data>
std::string encode_data(const Data& data) {
    std::string json;
    Codec<Data>::encode(data, json);
    return json;
}

/// Calls `fn` with the decoded event, and with the recorded event too if `fn` takes it.
template <class E, class Fn>
decltype(auto) call_with(const Fn& fn, const EventView& event) {
    if constexpr (std::invocable<const Fn&, const E&, const EventView&>) {
        return fn(event.as<E>(), event);
    } else {
        return fn(event.as<E>());
    }
}

template <class Data, std::invocable<const Data&> Fn>
CommandBinding bind_command(std::string topic, Fn fn) {
    using Command = std::remove_cvref_t<std::invoke_result_t<const Fn&, const Data&>>;
    static_assert(Event<Command>, "the function must return a message: a struct with a `type`");
    return {std::move(topic), Command::type,
            [fn = std::move(fn)](std::string_view json) -> EncodedMessage {
                const Command command = fn(decode_data<Data>(json));
                return {Command::type, encode_data(command)};
            }};
}

struct KeepData {};

template <class Data, Event Reply, class Fn>
ReplyBinding bind_reply(Answer answer, Fn fn) {
    return {Reply::type, answer, [fn = std::move(fn)](std::string_view json, const Message& reply) {
                const Reply decoded = reply.as<Reply>();
                if constexpr (std::same_as<Fn, KeepData>) {
                    return std::string(json);
                } else {
                    Data data = decode_data<Data>(json);
                    fn(data, decoded);
                    return encode_data(data);
                }
            }};
}

std::string default_saga_key(const EventView& event);

}  // namespace detail

/// The definition between two steps.
template <class Data>
class SagaBuilder {
public:
    explicit SagaBuilder(detail::SagaDraft draft) : draft_(std::move(draft)) {}

    /// An `E` in the log starts an instance. `fn(const E&)` returns its data; `key(const E&)`
    /// returns its key. Without `key`, the key is the id part of the event's stream. Both may take
    /// the `const EventView&` as a second argument. May be called for several event types.
    template <Event E, class Fn, class Key>
    SagaBuilder starts_on(Fn fn, Key key) && {
        bind_start<E>(std::move(fn), [key = std::move(key)](const EventView& event) -> std::string {
            return detail::call_with<E>(key, event);
        });
        return std::move(*this);
    }
    template <Event E, class Fn>
    SagaBuilder starts_on(Fn fn) && {
        bind_start<E>(std::move(fn), &detail::default_saga_key);
        return std::move(*this);
    }

    /// A saga that is still running after this time compensates, unless it is past its pivot.
    /// `forever`, here as in all timeouts, is the same as no deadline.
    SagaBuilder deadline(std::chrono::milliseconds after) && {
        draft_.deadline = after;
        return std::move(*this);
    }

    /// A message about the end, published to `topic` in the transaction that ends the saga. Each
    /// saga reaches exactly one of the four ends.
    template <std::invocable<const Data&> Fn>
    SagaBuilder on_completed(std::string topic, Fn fn) && {
        return std::move(*this).on_end(SagaStatus::completed, std::move(topic), std::move(fn));
    }
    template <std::invocable<const Data&> Fn>
    SagaBuilder on_compensated(std::string topic, Fn fn) && {
        return std::move(*this).on_end(SagaStatus::compensated, std::move(topic), std::move(fn));
    }
    template <std::invocable<const Data&> Fn>
    SagaBuilder on_failed(std::string topic, Fn fn) && {
        return std::move(*this).on_end(SagaStatus::failed, std::move(topic), std::move(fn));
    }
    template <std::invocable<const Data&> Fn>
    SagaBuilder on_cancelled(std::string topic, Fn fn) && {
        return std::move(*this).on_end(SagaStatus::cancelled, std::move(topic), std::move(fn));
    }

    /// Opens the next step. Names are unique within a saga.
    auto step(std::string name) &&;

    /// Throws InvalidError for a definition that cannot work, with the reason.
    SagaDefinition build() && { return SagaDefinition{std::move(draft_)}; }

protected:
    template <Event E, class Fn>
    void bind_start(Fn fn, detail::FromEvent key) {
        draft_.starts.push_back({E::type,
                                 [fn = std::move(fn)](const EventView& event) {
                                     const Data data = detail::call_with<E>(fn, event);
                                     return detail::encode_data(data);
                                 },
                                 std::move(key)});
    }
    template <class Fn>
    SagaBuilder on_end(SagaStatus end, std::string topic, Fn fn) && {
        draft_.ends.push_back({end, detail::bind_command<Data>(std::move(topic), std::move(fn))});
        return std::move(*this);
    }

    detail::SagaDraft draft_;
};

/// A step that has a name but no command yet.
template <class Data>
class StepOpening {
public:
    explicit StepOpening(detail::SagaDraft draft) : draft_(std::move(draft)) {}

    /// The command: `fn(const Data&)` returns it; the participant consumes `topic`. The participant
    /// sends its reply to the command's `reply_to`, with the command's headers unchanged.
    template <std::invocable<const Data&> Fn>
    StepBuilder<Data> send(std::string topic, Fn fn) &&;

private:
    detail::SagaDraft draft_;
};

/// A step that is not closed yet.
template <class Data>
class StepBuilder {
public:
    explicit StepBuilder(detail::SagaDraft draft) : draft_(std::move(draft)) {}

    /// Success. `fn(Data&, const Reply&)` stores in the data what later steps, or the undo, need.
    template <Event Reply, class Fn = detail::KeepData>
    StepBuilder on(Fn fn = {}) && {
        return std::move(*this).template answered<Reply>(detail::Answer::success, std::move(fn));
    }
    /// Definite failure that a retry would not change: the saga compensates. Past the pivot a saga
    /// cannot compensate, and the reply is treated as by `retries_on`.
    template <Event Failure, class Fn = detail::KeepData>
    StepBuilder fails_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::failure, std::move(fn));
    }
    /// Temporary failure: the step is retried after a wait, as a new command with a new id.
    template <Event Failure, class Fn = detail::KeepData>
    StepBuilder retries_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::busy, std::move(fn));
    }
    /// How long to wait for a reply. Without a reply the outcome is unknown: the same command is
    /// sent again with the same id, and after the last attempt the step counts as possibly done.
    StepBuilder timeout(std::chrono::milliseconds after) && {
        step().plan.timeout = after;
        return std::move(*this);
    }
    /// How many attempts to make, and how long to wait after a temporary failure.
    StepBuilder retry(Backoff policy) && {
        step().plan.retry = policy;
        return std::move(*this);
    }

    /// Closes the step: `fn(const Data&)` returns the command that undoes it. It is sent to the
    /// topic of the step, where it cannot overtake the step's command, or to `topic`. The
    /// participant may receive it when there is nothing to undo, and more than once.
    template <std::invocable<const Data&> Fn>
    UndoBuilder<Data> undo(Fn fn) && {
        std::string topic = step().forward->topic;
        return std::move(*this).undo(std::move(topic), std::move(fn));
    }
    template <std::invocable<const Data&> Fn>
    UndoBuilder<Data> undo(std::string topic, Fn fn) && {
        step().undo = detail::bind_command<Data>(std::move(topic), std::move(fn));
        step().plan.reversibility = Reversibility::undo;
        return UndoBuilder<Data>{std::move(draft_)};
    }
    /// Closes the step: it cannot be undone, and once it is done the saga only goes forward.
    SagaBuilder<Data> pivot() && { return close(Reversibility::pivot); }
    /// Closes the step: it succeeds if it is retried often enough.
    SagaBuilder<Data> retriable() && { return close(Reversibility::retriable); }
    /// Closes the step: it changes nothing.
    SagaBuilder<Data> read_only() && { return close(Reversibility::read_only); }

private:
    detail::StepBinding& step() { return draft_.steps.back(); }
    SagaBuilder<Data> close(Reversibility reversibility) {
        step().plan.reversibility = reversibility;
        return SagaBuilder<Data>{std::move(draft_)};
    }
    template <Event Reply, class Fn>
    StepBuilder answered(detail::Answer answer, Fn fn) && {
        step().forward->replies.push_back(detail::bind_reply<Data, Reply>(answer, std::move(fn)));
        return std::move(*this);
    }

    detail::SagaDraft draft_;
};

/// A step closed by `undo`: the options of the undo, then the next step.
template <class Data>
class UndoBuilder : public SagaBuilder<Data> {
public:
    using SagaBuilder<Data>::SagaBuilder;

    /// The undo is done when this reply arrives; only then is the previous step undone. Without it
    /// the undo counts as done as soon as its command is in the outbox.
    template <Event Reply, class Fn = detail::KeepData>
    UndoBuilder undone_on(Fn fn = {}) && {
        return std::move(*this).template answered<Reply>(detail::Answer::success, std::move(fn));
    }
    /// The undo failed for good: the saga becomes an incident.
    template <Event Failure, class Fn = detail::KeepData>
    UndoBuilder undo_fails_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::failure, std::move(fn));
    }
    /// Temporary failure: the undo is retried after a wait.
    template <Event Failure, class Fn = detail::KeepData>
    UndoBuilder undo_retries_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::busy, std::move(fn));
    }
    /// As `timeout` and `retry` of the step; without them the undo uses those of the step.
    UndoBuilder undo_timeout(std::chrono::milliseconds after) && {
        step_binding().plan.undo_timeout = after;
        step_binding().own_undo_timeout = true;
        return std::move(*this);
    }
    UndoBuilder undo_retry(Backoff policy) && {
        step_binding().plan.undo_retry = policy;
        step_binding().own_undo_retry = true;
        return std::move(*this);
    }

private:
    detail::StepBinding& step_binding() { return this->draft_.steps.back(); }
    template <Event Reply, class Fn>
    UndoBuilder answered(detail::Answer answer, Fn fn) && {
        step_binding().undo->replies.push_back(
            detail::bind_reply<Data, Reply>(answer, std::move(fn)));
        return std::move(*this);
    }
};

template <class Data>
SagaBuilder<Data> saga(std::string name, int version) {
    return SagaBuilder<Data>{detail::SagaDraft{std::move(name), version}};
}

template <class Data>
auto SagaBuilder<Data>::step(std::string name) && {
    draft_.steps.push_back({StepPlan{std::move(name)}});
    return StepOpening<Data>{std::move(draft_)};
}

template <class Data>
template <std::invocable<const Data&> Fn>
StepBuilder<Data> StepOpening<Data>::send(std::string topic, Fn fn) && {
    draft_.steps.back().forward = detail::bind_command<Data>(std::move(topic), std::move(fn));
    return StepBuilder<Data>{std::move(draft_)};
}

}  // namespace daybook
