#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/local_transport.hpp"
#include "daybook/sagas/saga_definition.hpp"
#include "daybook/sagas/saga_explanation.hpp"
#include "daybook/schema/codec.hpp"

namespace daybook {

/// Limits of a SagaOrchestrator.
struct SagaOptions {
    /// The most sagas started in one transaction.
    std::size_t starts_max = 100;
    /// The most timers fired by one `run_once`, so that replies are handled in between.
    std::size_t timers_max = 100;
    /// The largest saga data; the store's `payload_bytes_max` applies too. Larger data makes the
    /// saga an incident.
    std::size_t data_bytes_max = 1024 * 1024;
    /// The longest sleep of the background thread. A virtual clock cannot wake the thread, so this
    /// also bounds how late the thread notices that such a clock was advanced.
    std::chrono::milliseconds sleep_max{1'000};
};

/// The operator who acts on a saga, and the reason: both are recorded in its history.
struct SagaOperator {
    std::string actor{};
    std::string reason{};
    /// The journal version that the operator saw; ConflictError if the saga has changed since.
    std::optional<Version> seen{};
};

/// Runs sagas: starts them from events in the log, handles the replies to their commands, fires
/// their timers.
///
///     LocalTransport transport{store};
///     SagaOrchestrator orchestrator{store, transport};
///     orchestrator.add(fulfil_order);
///     Relay relay{store, transport};
///     orchestrator.start();
///     relay.start();
///
/// The whole state of a saga is in the store, and each input is one commit: after a crash, a
/// restarted process continues where the last one stopped, and several processes may share one
/// store. Each input is appended to the journal with the version it was decided on as the expected
/// version; of two processes that handle the same input one gets a conflict, so no input takes
/// effect twice.
///
/// Thread-safe after the last `add`.
class SagaOrchestrator {
public:
    /// Replies come over `transport`, which must outlive the orchestrator.
    SagaOrchestrator(EventStore store, LocalTransport& transport, SagaOptions options = {});
    /// Without a transport, the program passes replies to `handle_reply`.
    explicit SagaOrchestrator(EventStore store, SagaOptions options = {});
    ~SagaOrchestrator();  ///< stops it

    /// New instances use the highest version of a name. A running instance needs the version, and
    /// the steps, that it was started with; without them it waits, and the other instances run.
    /// A definition that is new to the store also starts from past events. Throws InvalidError if
    /// this version was added before.
    void add(const SagaDefinition& definition);

    /// Starts the sagas and fires the timers that are due now, on the caller's thread; returns
    /// their number. A saga that fails does not stop the others (see `last_error`). An event whose
    /// saga cannot be started, or at which the process died three times, results in an incident,
    /// or in an entry of `SagaIndex::failed_starts` if the incident cannot be stored either. Throws
    /// errors of the store: UnavailableError, NotFoundError, StorageError, InDoubtError,
    /// CancelledError; and, after all other work, an exception that a commit hook threw during a
    /// start, which is then retried by the next call.
    std::size_t run_once();
    /// When `run_once` has something to do next: when the next timer is due, or now if the last
    /// run left a start to another process or to a retry. An instant in the past means now.
    /// Nothing if there is neither. By the store's clock.
    std::optional<Timestamp> next_due() const;

    /// Runs on a background thread, woken by commits and timers, until `stop`. No error ends it:
    /// while the store is unavailable it waits, reports that in `last_error` and the log, and
    /// continues when the store is back.
    void start();
    void stop();
    /// The text of the last error, or empty.
    std::string last_error() const;

    /// Handles a reply in the transaction that marks it as handled; LocalTransport calls this by
    /// itself. Throws InvalidError (not a reply to a saga), NotFoundError (no such saga) and
    /// UnhandledMessage (the definition of the saga was not added here: another build of the
    /// program may have it, and LocalTransport leaves the reply to that build).
    void handle_reply(const Message& reply, Transaction& tx);

    /// Sagas that have not ended and whose definition was not added in that version and shape.
    std::vector<SagaSummary> unknown() const;
    /// See SagaIndex::explain.
    SagaExplanation explain(const SagaId& id) const;

    /// The actions of an operator; each returns the saga's state after it. NotFoundError: no such
    /// saga. InvalidError: not legal in this state, with the reason. ConflictError: the saga has
    /// changed since `by.seen`. UnavailableError: its definition was not added.
    SagaExplanation retry(const SagaId& id, const SagaOperator& by);
    SagaExplanation skip(const SagaId& id, const SagaOperator& by);
    /// No effect if the saga compensates already.
    SagaExplanation cancel(const SagaId& id, const SagaOperator& by);
    /// The operator did the current step by hand. `reply` is what the participant would have sent.
    template <Event Reply>
    SagaExplanation complete(const SagaId& id, const SagaOperator& by, const Reply& reply) {
        NewEvent encoded{Reply::type, {}};
        Codec<Reply>::encode(reply, encoded.data);
        return complete_with(id, by, &encoded);
    }
    /// The same for an undo without a reply, or with a reply that carries no data.
    SagaExplanation complete(const SagaId& id, const SagaOperator& by) {
        return complete_with(id, by, nullptr);
    }
    /// The same with the reply as JSON; its type is the success reply of the step.
    SagaExplanation complete_json(const SagaId& id, const SagaOperator& by,
                                  const std::string& json);

    /// Retries an entry of `SagaIndex::failed_starts`, or gives it up. NotFoundError: there is no
    /// such entry. UnavailableError: the definition was not added. A retry that fails throws the
    /// error of the start and changes nothing. The reason of a `skip_start` is logged.
    void retry_start(std::string_view definition, Position event, const SagaOperator& by);
    void skip_start(std::string_view definition, Position event, const SagaOperator& by);

private:
    struct State;
    SagaExplanation complete_with(const SagaId& id, const SagaOperator& by, const NewEvent* reply);

    std::shared_ptr<State> state_;
    LocalTransport* transport_ = nullptr;
};

}  // namespace daybook
