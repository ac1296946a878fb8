#include "app/story.hpp"

#include <map>
#include <set>

#include "app/event_text.hpp"
#include "carrier/carrier.hpp"
#include "cashier/cashier.hpp"
#include "ordering/order_desk.hpp"
#include "warehouse/warehouse.hpp"

namespace shop {
namespace {

using daybook::EventId;
using daybook::EventView;
using daybook::SagaId;

/// `saga-fulfil-order:10248` is the journal of saga `fulfil-order/10248`.
std::optional<SagaId> saga_of(const EventView& event) {
    if (event.category() != "saga") return std::nullopt;
    const std::string_view rest = event.stream().substr(event.category().size() + 1);
    const auto colon = rest.find(':');
    return SagaId{std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 1))};
}

/// Who handles the messages that lead to events of this category.
std::string receiver_of(std::string_view category) {
    if (category == "order") return std::string(OrderDesk::topic);
    if (category == "stock") return std::string(Warehouse::topic);
    if (category == "payment") return std::string(Cashier::topic);
    if (category == "shipment") return std::string(Carrier::topic);
    return std::string(category);
}

class StoryTeller {
public:
    explicit StoryTeller(const daybook::EventStore& store) : store_(store), sagas_(store) {}

    Story tell(const EventView& first) {
        const EventId conversation = first.correlation();
        // There is no index by conversation: what came later is gone through.
        for (const EventView event : store_.read_all({.from = first.position()})) {
            if (event.correlation() == conversation) add(event);
        }
        for (const auto& [id, history] : histories_) add_waiting(id);
        return std::move(story_);
    }

private:
    void add(const EventView& event) {
        StoryLine line{event.position(), event.recorded_at(), std::string(event.stream()),
                       std::string(event.type()), text(event)};
        events_.insert(event.id());
        if (!event.causation().is_nil() && !events_.contains(event.causation())) {
            line.message = event.causation();
            line.receiver = receiver_of(event.category());
        }
        story_.lines.push_back(std::move(line));
    }

    std::string text(const EventView& event) {
        const auto saga = saga_of(event);
        if (!saga) return text_of(event);
        auto& history = histories_[*saga];
        if (history.empty()) history = sagas_.history(*saga);
        return history.at(event.version().value() - 1).text;
    }

    void add_waiting(const SagaId& id) {
        const auto explained = sagas_.explain(id);
        if (!explained.waiting_for.empty()) {
            story_.waiting.push_back(
                {"saga " + id.to_string() + " waits for " + explained.waiting_for,
                 explained.until});
        }
        const std::string key = id.to_string();
        for (const auto& [message, reason, until, error] :
             daybook::outbox_list(store_, {.key = key})) {
            story_.waiting.push_back({"message " + message.type + " to " + message.topic +
                                          (error.empty() ? "" : ", " + error),
                                      until});
        }
        for (const auto& letter : daybook::DeadLetters{store_}.list({.key = key})) {
            story_.waiting.push_back({"message " + letter.message.type + " to " +
                                          letter.message.topic + " is parked: " + letter.error,
                                      std::nullopt});
        }
    }

    daybook::EventStore store_;
    daybook::SagaIndex sagas_;
    std::map<SagaId, std::vector<daybook::SagaHistoryEntry>> histories_;
    std::set<EventId> events_;
    Story story_;
};

}  // namespace

Story story_of(const daybook::EventStore& store, const std::string& order) {
    for (const EventView first : store.read(Order::stream(order), {.limit = 1})) {
        return StoryTeller{store}.tell(first);
    }
    throw daybook::NotFoundError("there is no order " + order + " in " + store.uri());
}

}  // namespace shop
