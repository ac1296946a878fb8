#include "definition_set.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"

namespace daybook::detail {

bool DefinitionSet::add(const SagaDefinition& definition) {
    const bool known = std::ranges::any_of(by_hash_, [&](const auto& entry) {
        return entry.second.name() == definition.name() &&
               entry.second.version() == definition.version();
    });
    if (known) {
        throw InvalidError("saga '" + definition.name() + "' version " +
                           std::to_string(definition.version()) + " was added before");
    }
    by_hash_.emplace(definition.hash(), definition);
    const auto [newest, is_new] = newest_.try_emplace(definition.name(), definition);
    if (!is_new && newest->second.version() < definition.version()) newest->second = definition;
    return is_new;
}

const SagaDefinition* DefinitionSet::find(const SagaState& state) const {
    const auto found = by_hash_.find(state.hash);
    return found == by_hash_.end() ? nullptr : &found->second;
}

const SagaDefinition& DefinitionSet::require(const SagaState& state) const {
    if (const auto* found = find(state)) return *found;
    throw UnavailableError("saga " + state.id.to_string() + " was started with version " +
                           std::to_string(state.version) + " (" + state.hash +
                           ") of its definition, which this program does not have: add it, in the "
                           "shape that it had");
}

}  // namespace daybook::detail
