// The shortest program that proves a working library: one event in, the same event out, and an
// error that is caught by its type.
#include <string>

#include <daybook/daybook.hpp>
#include <nlohmann/json.hpp>

struct Opened {
    static constexpr daybook::EventType type{"account.opened", 1};
    std::string owner;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Opened, owner)

int main() {
    auto store = daybook::EventStore::open(":memory:");
    store.append("account-1", daybook::no_stream, {Opened{"Ada"}});
    try {
        store.append("account-1", daybook::no_stream, {Opened{"Bob"}});
        return 1;
    } catch (const daybook::ConflictError& error) {
        if (error.actual() != daybook::Version{1}) return 1;
    }
    for (const auto& event : store.read("account-1"))
        if (event.is<Opened>()) return 0;
    return 1;
}
