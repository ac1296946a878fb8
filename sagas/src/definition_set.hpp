#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/sagas/saga_definition.hpp"

namespace daybook::detail {

/// The definitions of an orchestrator. Filled first, then read by many threads.
class DefinitionSet {
public:
    /// Throws InvalidError if this version is there already. True if the name is new.
    bool add(const SagaDefinition& definition);

    /// Those of the highest version, by name.
    const std::map<std::string, SagaDefinition, std::less<>>& newest() const noexcept {
        return newest_;
    }
    /// The one that a saga was started with; null if it is not there, in this shape.
    const SagaDefinition* find(const SagaState& state) const;
    /// The same; throws UnavailableError.
    const SagaDefinition& require(const SagaState& state) const;
    bool knows_hash(std::string_view hash) const { return by_hash_.contains(hash); }

    bool empty() const noexcept { return by_hash_.empty(); }
    const std::map<std::string, SagaDefinition, std::less<>>& by_hash() const noexcept {
        return by_hash_;
    }

private:
    std::map<std::string, SagaDefinition, std::less<>> newest_;
    std::map<std::string, SagaDefinition, std::less<>> by_hash_;
};

}  // namespace daybook::detail
