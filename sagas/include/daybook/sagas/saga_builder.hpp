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

// How a saga is written down. The builders are used in one expression; each call hands over to the
// next. A step is opened by `step` and closed by `undo`, `pivot`, `retriable` or `read_only`: only
// those return a builder that knows `step` and `build`, so a step that does not say how it can be
// taken back does not compile.

namespace daybook {

template <class Data>
class SagaBuilder;
template <class Data>
class StepBuilder;
template <class Data>
class UndoBuilder;

/// Begins the definition of a saga over `Data`, a struct of the program's own that travels as JSON.
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
///             .retry(exponential{200ms, 2.0, 10s}.full_jitter().attempts(6))
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
/// The functions must be pure: they are called once for each input, and what they return is stored.
/// They may be called on any thread.
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

/// Calls `fn` with the event alone, or with the event and how it was recorded.
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

/// What can be said of a saga between two steps.
template <class Data>
class SagaBuilder {
public:
    explicit SagaBuilder(detail::SagaDraft draft) : draft_(std::move(draft)) {}

    /// An `E` in the log starts an instance. `fn(const E&)` makes its data; `key(const E&)` says
    /// which instance, without it the id part of the event's stream does. Both may take the
    /// `const EventView&` as a second argument. May be given for several types.
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

    /// When the saga has taken so long it goes back, unless it is past its pivot. `forever`, here
    /// as in all timeouts, is the same as none.
    SagaBuilder deadline(std::chrono::milliseconds after) && {
        draft_.deadline = after;
        return std::move(*this);
    }

    /// A message about the end, published to `topic` in the unit that ends the saga. Exactly one
    /// of the four ends happens.
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

/// A step that has a name and no command yet.
template <class Data>
class StepOpening {
public:
    explicit StepOpening(detail::SagaDraft draft) : draft_(std::move(draft)) {}

    /// The command: `fn(const Data&)` makes it, `topic` is where the participant listens. It
    /// answers through `reply_to` and hands the headers back unchanged.
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

    /// Success. `fn(Data&, const Reply&)` notes what later steps, or the undo, will need.
    template <Event Reply, class Fn = detail::KeepData>
    StepBuilder on(Fn fn = {}) && {
        return std::move(*this).template answered<Reply>(detail::Answer::success, std::move(fn));
    }
    /// Definite failure, not worth repeating: the saga goes back. Past the pivot there is no way
    /// back, and it counts as `retries_on`.
    template <Event Failure, class Fn = detail::KeepData>
    StepBuilder fails_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::failure, std::move(fn));
    }
    /// Definite failure for now: tried again after a wait, as a new command.
    template <Event Failure, class Fn = detail::KeepData>
    StepBuilder retries_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::busy, std::move(fn));
    }
    /// How long to wait for an answer. No answer is an unknown outcome: the same command is sent
    /// again with the same id, and after the last attempt the step counts as possibly done.
    StepBuilder timeout(std::chrono::milliseconds after) && {
        step().plan.timeout = after;
        return std::move(*this);
    }
    /// How often to try, and how long to wait after a definite failure.
    StepBuilder retry(Backoff policy) && {
        step().plan.retry = policy;
        return std::move(*this);
    }

    /// Closes the step: `fn(const Data&)` makes the command that undoes it. It goes to the step's
    /// own topic (and so cannot overtake the step), or to `topic`. It may come when there is
    /// nothing to undo, and more than once.
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
    /// Closes the step: it cannot be undone, and after it the saga only goes forward.
    SagaBuilder<Data> pivot() && { return close(Reversibility::pivot); }
    /// Closes the step: it will succeed if it is repeated long enough.
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

/// A step closed by `undo`: what more there is to say of the undo, then the saga goes on.
template <class Data>
class UndoBuilder : public SagaBuilder<Data> {
public:
    using SagaBuilder<Data>::SagaBuilder;

    /// The undo is done when this answer comes, and only then the step before is undone. Without
    /// it the undo counts as done when it is in the outbox.
    template <Event Reply, class Fn = detail::KeepData>
    UndoBuilder undone_on(Fn fn = {}) && {
        return std::move(*this).template answered<Reply>(detail::Answer::success, std::move(fn));
    }
    /// The undo has failed for good: the saga becomes an incident.
    template <Event Failure, class Fn = detail::KeepData>
    UndoBuilder undo_fails_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::failure, std::move(fn));
    }
    /// The undo has failed for now: tried again after a wait.
    template <Event Failure, class Fn = detail::KeepData>
    UndoBuilder undo_retries_on(Fn fn = {}) && {
        return std::move(*this).template answered<Failure>(detail::Answer::busy, std::move(fn));
    }
    /// As for the step; without it the undo has the step's own.
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
