// A bank account as events, a read model of all balances, and a message that leaves with an event.
//
//     quickstart [STORE]

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <daybook/daybook.hpp>
#include <nlohmann/json.hpp>

// Events are plain structs with a stable name and a schema version.
struct Opened {
    static constexpr daybook::EventType type{"account.opened", 1};
    std::string owner;
};
struct Deposited {
    static constexpr daybook::EventType type{"account.deposited", 1};
    std::int64_t cents{};
};
struct Withdrawn {
    static constexpr daybook::EventType type{"account.withdrawn", 1};
    std::int64_t cents{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Opened, owner)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Deposited, cents)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Withdrawn, cents)

// An aggregate root decides in its public methods and changes only in `on`.
class Account : public daybook::AggregateRoot<Account, Opened, Deposited, Withdrawn> {
public:
    using AggregateRoot::AggregateRoot;
    void withdraw(std::int64_t cents) {
        if (cents > balance_) throw std::domain_error{"insufficient funds"};
        raise(Withdrawn{cents});
    }

private:
    friend AggregateRoot;
    void on(const Opened&) {}
    void on(const Deposited& event) { balance_ += event.cents; }
    void on(const Withdrawn& event) { balance_ -= event.cents; }
    std::int64_t balance_ = 0;
};

// A projection turns recorded events into rows; raising `version` rebuilds it beside the old one.
struct Balances : daybook::Projection<Balances, Opened, Deposited, Withdrawn> {
    static constexpr std::string_view name = "balances";
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE balances(account TEXT PRIMARY KEY, cents BIGINT NOT NULL);";

    void on(const daybook::Recorded<Opened>& e, daybook::View& view) {
        view.exec("INSERT INTO balances(account, cents) VALUES(?, 0)", e.stream());
    }
    void on(const daybook::Recorded<Deposited>& e, daybook::View& view) { add(view, e, e->cents); }
    void on(const daybook::Recorded<Withdrawn>& e, daybook::View& view) { add(view, e, -e->cents); }

private:
    void add(daybook::View& view, const auto& e, std::int64_t cents) {
        view.exec("UPDATE balances SET cents = cents + ? WHERE account = ?", cents, e.stream());
    }
};

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "bank.db");

    store.append("account-1", daybook::no_stream, {Opened{"Ada"}, Deposited{100'00}});
    for (const auto event : store.read("account-1"))
        std::cout << event.position().value() << ' ' << event.type() << ' ' << event.data() << '\n';

    daybook::Repository<Account> accounts{store};
    const auto done = accounts.update("account-1", [](auto& account) { account.withdraw(25'00); });

    daybook::ProjectionRunner projections{store};
    projections.add(Balances{});
    projections.start();
    projections.wait_for(done.position);  // read your own write
    projections.query("balances", [](daybook::Sql& sql) {
        std::cout << *sql.integer("SELECT cents FROM balances WHERE account = ?", "account-1")
                  << " cents are left\n";
    });

    store.transact([](daybook::Transaction& tx) {  // the event and the message, or neither
        tx.append("account-1", daybook::at_version(3), {Withdrawn{5'00}});
        tx.publish("bank.withdrawals", Withdrawn{5'00});
    });
    std::cout << daybook::outbox_status(store).waiting << " message waits to be sent\n";
}
