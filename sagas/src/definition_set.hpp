#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/sagas/saga_definition.hpp"

namespace daybook::detail {

/// The definitions of an orchestrator. All `add` calls come first; then many threads may read.
class DefinitionSet {
public:
    /// Throws InvalidError if this version was added before. True if the name is new.
    bool add(const SagaDefinition& definition);

    /// The definitions with the highest version, by name.
    const std::map<std::string, SagaDefinition, std::less<>>& newest() const noexcept {
        return newest_;
    }
    /// The definition that a saga was started with; null if it was not added in that shape.
    const SagaDefinition* find(const SagaState& state) const;
    /// The same; throws UnavailableError.
    const SagaDefinition& require(const SagaState& state) const;
    bool contains_hash(std::string_view hash) const { return by_hash_.contains(hash); }

    bool empty() const noexcept { return by_hash_.empty(); }
    const std::map<std::string, SagaDefinition, std::less<>>& by_hash() const noexcept {
        return by_hash_;
    }

private:
    std::map<std::string, SagaDefinition, std::less<>> newest_;
    std::map<std::string, SagaDefinition, std::less<>> by_hash_;
};

}  // namespace daybook::detail
