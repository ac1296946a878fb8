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

struct SagaOptions {
    /// The most sagas started in one unit.
    std::size_t starts_max = 100;
    /// The most timers fired by one `run_once`; replies get their turn in between.
    std::size_t timers_max = 100;
    /// The largest saga data, if the store's `payload_bytes_max` is no less; more makes the saga
    /// an incident.
    std::size_t data_bytes_max = 1024 * 1024;
    /// The longest sleep of the background thread. A virtual clock wakes nobody: this is how soon
    /// it is noticed.
    std::chrono::milliseconds sleep_max{1'000};
};

/// Who acts on a saga by hand, and why: both go into its history.
struct SagaOperator {
    std::string actor{};
    std::string reason{};
    /// The journal version that was looked at; ConflictError if the saga has moved since.
    std::optional<Version> seen{};
};

/// Runs sagas: starts them from events in the log, takes the answers to their commands, fires
/// their timers.
///
///     LocalTransport transport{store};
///     SagaOrchestrator orchestrator{store, transport};
///     orchestrator.add(fulfil_order);
///     Relay relay{store, transport};
///     orchestrator.start();
///     relay.start();
///
/// All that a saga is lies in the store, and each input is one commit: a process that dies is
/// resumed by running again, and several may run on one store. Every input goes into the journal
/// at the version it was decided on, so nothing is ever done twice.
///
/// Thread-safe once it runs; `add` comes before.
class SagaOrchestrator {
public:
    /// Replies come over `transport`, which must outlive the orchestrator.
    SagaOrchestrator(EventStore store, LocalTransport& transport, SagaOptions options = {});
    /// Without a transport: hand replies to `handle_reply`.
    explicit SagaOrchestrator(EventStore store, SagaOptions options = {});
    ~SagaOrchestrator();  ///< stops it

    /// New instances take the highest version of a name; running ones need the version, and the
    /// steps, they were started with: those whose definition is not there wait, the rest run.
    /// A definition that is new to the store also takes the events of the past. Throws
    /// InvalidError if this version was added before.
    void add(const SagaDefinition& definition);

    /// Starts and fires what is due now on the caller's thread; returns how much that was. One
    /// saga that fails does not keep the others from running (see `last_error`): an event whose
    /// saga cannot be started, or that a process died of three times, makes an incident, or one of
    /// `SagaIndex::failed_starts` if not even that can be stored. Throws what concerns the store:
    /// UnavailableError, NotFoundError, StorageError, InDoubtError, CancelledError; and, when all
    /// else is done, what a commit hook has thrown at a start that will be tried again.
    std::size_t run_once();
    /// When there will be something to do: when the next timer is due, or now if the last look met
    /// a start that it had to leave, to another process or for the next look. An instant that is
    /// past is now. Nothing if neither is there. By the store's clock.
    std::optional<Timestamp> next_due() const;

    /// Runs on a thread of its own, woken by commits and timers, until `stop`. No error ends it:
    /// while the store cannot be used it waits, says so in `last_error` and the log, and goes on
    /// when that is over.
    void start();
    void stop();
    /// The last thing that went wrong, or empty.
    std::string last_error() const;

    /// Takes a reply within the unit that marks it as handled: what LocalTransport does by itself.
    /// Throws InvalidError (not a reply to a saga), NotFoundError (no such saga) and
    /// UnhandledMessage (a saga of a definition that is not there: another build of the program
    /// may have it, and LocalTransport leaves the reply to that one).
    void handle_reply(const Message& reply, Transaction& tx);

    /// Sagas that have not ended and whose definition is not there in that version and shape.
    std::vector<SagaSummary> unknown() const;
    /// See SagaIndex::explain.
    SagaExplanation explain(const SagaId& id) const;

    /// An operator's actions; each returns what the saga has come to. NotFoundError: no such saga.
    /// InvalidError: not legal as things are, with the reason. ConflictError: it has moved since
    /// it was looked at. UnavailableError: its definition is not there.
    SagaExplanation retry(const SagaId& id, const SagaOperator& by);
    SagaExplanation skip(const SagaId& id, const SagaOperator& by);
    /// Going back it is a no-op: what runs already is not cancelled.
    SagaExplanation cancel(const SagaId& id, const SagaOperator& by);
    /// The current step was done by hand. `reply` is what the participant would have answered.
    template <Event Reply>
    SagaExplanation complete(const SagaId& id, const SagaOperator& by, const Reply& reply) {
        NewEvent encoded{Reply::type, {}};
        Codec<Reply>::encode(reply, encoded.data);
        return complete_with(id, by, &encoded);
    }
    /// The same for an undo that has no answer, or whose answer says nothing.
    SagaExplanation complete(const SagaId& id, const SagaOperator& by) {
        return complete_with(id, by, nullptr);
    }
    /// The same with the reply as JSON, for commands. The type is looked up in the step.
    SagaExplanation complete_json(const SagaId& id, const SagaOperator& by,
                                  const std::string& json);

    /// Starts again what is among `SagaIndex::failed_starts`, or gives it up. NotFoundError: it is
    /// not. UnavailableError: the definition is not there. A retry throws what keeps it from
    /// starting; nothing is changed then. The reason for giving one up goes to the log.
    void retry_start(std::string_view definition, Position event, const SagaOperator& by);
    void skip_start(std::string_view definition, Position event, const SagaOperator& by);

private:
    struct State;
    SagaExplanation complete_with(const SagaId& id, const SagaOperator& by, const NewEvent* reply);

    std::shared_ptr<State> state_;
    LocalTransport* transport_ = nullptr;
};

}  // namespace daybook
