#include "office.hpp"

#include <vector>

namespace daybook::test {

namespace {

using Texts = std::vector<std::string>;

Texts details(const EventStore& store, const std::string& stream) {
    Texts texts;
    for (const EventView event : store.read(stream)) texts.push_back(event.as<Effect>().detail);
    return texts;
}

std::string joined(const Texts& texts) {
    std::string all;
    for (const auto& text : texts) all += text + " ";
    return all;
}

}  // namespace

std::string verify_orders(const EventStore& store, int orders) {
    static const Texts there{"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"};
    static const Texts back{"stock.reserve", "credit.hold", "credit.free", "stock.release"};
    for (int i = 1; i <= orders; ++i) {
        const std::string order = std::to_string(i);
        const bool goes_back = i % 3 == 0;
        const Texts effects = details(store, "effects-" + order);
        if (effects != (goes_back ? back : there)) return order + " did " + joined(effects);
        const Texts ends = details(store, "ends-" + order);
        const std::string end = goes_back ? "compensated" : "completed";
        if (ends != Texts{end}) return order + " ended as " + joined(ends);
        const auto saga = SagaIndex{store}.explain({"fulfil-order", order});
        if (to_string(saga.state.status) != end) return saga.text();
        if (saga.state.ignored != 0 || saga.state.generation != 1) return saga.text();
    }
    std::int64_t timers = 0;
    store.query(
        [&](Sql& sql) { timers = *sql.integer("SELECT COUNT(*) FROM daybook_saga_timer"); });
    return timers == 0 ? "" : std::to_string(timers) + " timers are left over";
}

}  // namespace daybook::test
