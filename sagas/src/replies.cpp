#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/messaging/transport.hpp"
#include "orchestrator_state.hpp"

namespace daybook {

bool SagaOrchestrator::State::takes(const Message& envelope) const {
    const auto headers = detail::find_headers(envelope.headers);
    // A message that is not a reply to a saga is taken, so that `handle_reply` rejects it.
    return !headers || definitions.contains_hash(headers->hash);
}

void SagaOrchestrator::State::handle_reply(const Message& message, Transaction& tx) {
    const detail::CommandHeaders headers = detail::decode_headers(message.headers);
    auto saga = detail::load_saga(tx, headers.id);
    // The relay retries after NotFoundError and parks the reply in the end: no reply is lost.
    if (!saga)
        throw NotFoundError("no saga " + headers.id.to_string() + " for the reply " + message.type);
    const SagaDefinition* const found = definitions.find(saga->state);
    if (found == nullptr) {
        throw UnhandledMessage("saga " + headers.id.to_string() + " was started with version " +
                               std::to_string(saga->state.version) + " (" + saga->state.hash +
                               ") of its definition, which this program does not have: its answers "
                               "are left to the program that does");
    }
    const SagaDefinition& definition = *found;

    const auto& steps = saga->state.steps;
    const auto step = std::ranges::find(steps, headers.step, &SagaStep::name);
    if (step == steps.end())
        throw InvalidError("saga " + headers.id.to_string() + " has no step '" + headers.step +
                           "' for the reply " + message.type);
    const detail::CommandRef ref{static_cast<std::size_t>(step - steps.begin()), headers.kind,
                                 headers.command_number};
    const int generation = saga->state.generation;
    detail::SagaTransaction saga_tx{tx, definition, std::move(*saga), data_bytes_max};
    if (headers.generation != generation) {
        saga_tx.apply(detail::StaleInput{"the answer " + message.type + " to generation " +
                                         std::to_string(headers.generation)});
    } else {
        saga_tx.reply(ref, message);
    }
    saga_tx.store();
}

}  // namespace daybook
