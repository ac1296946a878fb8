#include "daybook/eventstore/engine.hpp"

namespace daybook {

std::vector<AppendOutcome> WriteTransaction::append_all(AppendRequests requests) {
    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(requests.size());
    for (const AppendRequest* request : requests) outcomes.push_back(append(*request));
    return outcomes;
}

std::vector<AppendOutcome> Engine::append_all(AppendRequests requests) {
    const auto transaction = begin();
    std::vector<AppendOutcome> outcomes = transaction->append_all(requests);
    transaction->commit();
    return outcomes;
}

}  // namespace daybook
