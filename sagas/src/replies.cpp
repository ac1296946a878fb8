#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/messaging/transport.hpp"
#include "orchestrator_state.hpp"

namespace daybook {

bool SagaOrchestrator::State::takes(const Message& envelope) const {
    const auto headers = detail::find_headers(envelope.headers);
    // What answers no saga is for anybody to refuse.
    return !headers || definitions.knows_hash(headers->hash);
}

void SagaOrchestrator::State::handle_reply(const Message& message, Transaction& tx) {
    const detail::CommandHeaders headers = detail::decode_headers(message.headers);
    auto saga = detail::load_saga(tx, headers.id);
    // Not found is tried again for a while, then parked: nothing that answers is thrown away.
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
    const detail::CommandRef ref{static_cast<std::size_t>(step - steps.begin()), headers.move,
                                 headers.series};
    const int generation = saga->state.generation;
    detail::SagaUnit unit{tx, definition, std::move(*saga), data_bytes_max};
    if (headers.generation != generation) {
        unit.apply(detail::StaleInput{"the answer " + message.type + " to generation " +
                                      std::to_string(headers.generation)});
    } else {
        unit.reply(ref, message);
    }
    unit.store();
}

}  // namespace daybook
