#include <algorithm>

#include "daybook/core/error.hpp"
#include "orchestrator_state.hpp"

namespace daybook {

void SagaOrchestrator::State::handle_reply(const Message& message, Transaction& tx) {
    const detail::CommandHeaders headers = detail::decode_headers(message.headers);
    auto saga = detail::load_saga(tx.read(saga_stream(headers.id), detail::newest_only));
    // Not found is tried again for a while, then parked: nothing that answers is thrown away.
    if (!saga)
        throw NotFoundError("no saga " + headers.id.to_string() + " for the reply " + message.type);
    const SagaDefinition& definition = definitions.require(saga->state);

    const auto& steps = saga->state.steps;
    const auto step = std::ranges::find(steps, headers.step, &SagaStep::name);
    if (step == steps.end())
        throw InvalidError("saga " + headers.id.to_string() + " has no step '" + headers.step +
                           "' for the reply " + message.type);
    const detail::CommandRef ref{static_cast<std::size_t>(step - steps.begin()), headers.move,
                                 headers.series};
    const int generation = saga->state.generation;
    detail::SagaUnit unit{tx, definition, std::move(*saga), options.data_bytes_max};
    if (headers.generation != generation) {
        unit.apply(detail::StaleInput{"the answer " + message.type + " to generation " +
                                      std::to_string(headers.generation)});
    } else {
        unit.reply(ref, message);
    }
    unit.store();
}

}  // namespace daybook
