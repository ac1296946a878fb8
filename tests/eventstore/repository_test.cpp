#include <doctest/doctest.h>

#include "aggregate_bank.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace bank;
using namespace std::chrono_literals;

namespace {

EventStore open_store() { return test::new_store(); }

/// Appends to the stream past the repository, as another program would.
void interfere(EventStore& store, const char* stream) {
    store.append(stream, any_version, {Deposited{1}});
}

}  // namespace

TEST_CASE("an account is opened and changed and loaded as in the README") {
    auto store = open_store();
    store.append("account-1", no_stream, {Opened{"Ada"}, Deposited{100'00}});

    Repository<Account> accounts{store};
    const auto done =
        accounts.update("account-1", [](Account& account) { account.withdraw(25'00); });

    CHECK(done.position == Position{3});
    CHECK(done.version == Version{3});
    CHECK(done.events == 1);
    const Account account = accounts.load("account-1");
    CHECK(account.owner() == "Ada");
    CHECK(account.balance() == 75'00);
    CHECK(account.version() == Version{3});
    CHECK(account.pending().empty());
}

TEST_CASE("a saved aggregate goes on at its new version with nothing pending") {
    Repository<Account> accounts{open_store()};
    Account account = Account::open("account-1", "Ada");
    account.deposit(10);
    const SaveResult first = accounts.save(account);
    CHECK(first.version == Version{2});
    CHECK(first.events == 2);
    CHECK(account.version() == Version{2});
    CHECK(account.pending().empty());

    account.deposit(5);
    CHECK(accounts.save(account).version == Version{3});
    CHECK(accounts.load("account-1").balance() == 15);
}

TEST_CASE("saving an aggregate that raised nothing stores nothing") {
    auto store = open_store();
    Repository<Account> accounts{store};
    accounts.save(Account::open("account-1", "Ada"));
    Account account = accounts.load("account-1");
    const SaveResult result = accounts.save(account);
    CHECK(result.events == 0);
    CHECK(result.version == Version{1});
    CHECK(result.position == Position{1});
    CHECK(store.head() == Position{1});
}

TEST_CASE("loading what is not there is an error that names it and finding it is not") {
    Repository<Account> accounts{open_store()};
    CHECK_THROWS_WITH_AS(accounts.load("account-404"), doctest::Contains("account-404"),
                         NotFoundError);
    CHECK_THROWS_AS(accounts.update("account-404", [](Account&) {}), NotFoundError);
    CHECK_FALSE(accounts.find("account-404").has_value());
}

TEST_CASE("of two that open the same account the second gets a conflict") {
    Repository<Account> accounts{open_store()};
    accounts.save(Account::open("account-1", "Ada"));
    CHECK_THROWS_AS(accounts.save(Account::open("account-1", "Bob")), ConflictError);
    CHECK(accounts.load("account-1").owner() == "Ada");
}

TEST_CASE("a stale aggregate is not saved and keeps what it has pending") {
    auto store = open_store();
    Repository<Account> accounts{store};
    accounts.save(Account::open("account-1", "Ada"));
    Account stale = accounts.load("account-1");
    interfere(store, "account-1");
    stale.deposit(10);
    CHECK_THROWS_AS(accounts.save(stale), ConflictError);
    CHECK(stale.version() == Version{1});
    CHECK(stale.pending().size() == 1);
    CHECK(accounts.load("account-1").balance() == 1);
}

TEST_CASE("an aggregate that is saved again after a save in doubt is stored once") {
    auto store = open_store();
    Repository<Account> accounts{store};
    Account account = Account::open("account-1", "Ada");
    account.deposit(10);
    Account in_doubt = account;
    const SaveResult first = accounts.save(account);
    store.append("account-1", any_version, {Deposited{1}});

    const SaveResult again = accounts.save(in_doubt);
    CHECK(again.version == first.version);
    CHECK(again.position == first.position);
    CHECK(in_doubt.pending().empty());
    CHECK(store.head() == Position{3});
}

TEST_CASE("an update that conflicts decides again on what is there now") {
    auto store = open_store();
    Repository<Account> accounts{store};
    accounts.save(Account::open("account-1", "Ada"));
    std::vector<std::int64_t> seen;
    const auto done = accounts.update("account-1", [&](Account& account) {
        seen.push_back(account.balance());
        if (seen.size() < 3) interfere(store, "account-1");
        account.deposit(100);
    });
    CHECK(seen == std::vector<std::int64_t>{0, 1, 2});
    CHECK(done.version == Version{4});
    CHECK(accounts.load("account-1").balance() == 102);
}

TEST_CASE("an update gives up after its attempts with the last conflict") {
    auto store = open_store();
    Repository<Account> accounts{store, {.retry = every(1ms).attempts(3)}};
    accounts.save(Account::open("account-1", "Ada"));
    int attempts = 0;
    try {
        accounts.update("account-1", [&](Account& account) {
            ++attempts;
            interfere(store, "account-1");
            account.deposit(100);
        });
        FAIL("no conflict");
    } catch (const ConflictError& conflict) {
        CHECK(conflict.stream() == StreamName{"account-1"});
        CHECK(conflict.expected() == at_version(3));
        CHECK(conflict.actual() == Version{4});
    }
    CHECK(attempts == 3);
}

TEST_CASE("what a decision throws passes through an update and nothing is stored") {
    auto store = open_store();
    Repository<Account> accounts{store};
    accounts.save(Account::open("account-1", "Ada"));
    int attempts = 0;
    CHECK_THROWS_AS(accounts.update("account-1",
                                    [&](Account& account) {
                                        ++attempts;
                                        account.deposit(1);
                                        account.withdraw(2);
                                    }),
                    std::domain_error);
    CHECK(attempts == 1);
    CHECK(store.head() == Position{1});
}

TEST_CASE("a conflict of the decision's own making is not taken for one of the save") {
    auto store = open_store();
    Repository<Account> accounts{store};
    accounts.save(Account::open("account-1", "Ada"));
    int attempts = 0;
    CHECK_THROWS_AS(accounts.update("account-1",
                                    [&](Account&) {
                                        ++attempts;
                                        store.append("account-1", no_stream, {Deposited{1}});
                                    }),
                    ConflictError);
    CHECK(attempts == 1);
}

TEST_CASE("update or create starts a stream once and continues it later") {
    Repository<Account> accounts{open_store()};
    const auto deposit = [](Account& account) { account.deposit(5); };
    CHECK(accounts.update_or_create("account-1", deposit).version == Version{1});
    CHECK(accounts.update_or_create("account-1", deposit).version == Version{2});
}

TEST_CASE("an event that the aggregate does not list is refused with its position and the remedy") {
    auto store = open_store();
    store.append("account-1", no_stream, {Opened{"Ada"}, Sunk{}});
    Repository<Account> accounts{store};
    std::string text;
    try {
        accounts.load("account-1");
    } catch (const InvalidError& error) {
        text = error.what();
    }
    for (const char* part : {"ship.sunk", "account-1", "event 2", "bank::Account", "add it"}) {
        CAPTURE(part);
        CAPTURE(text);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("an old version of an event is refused with the advice to upcast it") {
    auto store = open_store();
    const NewEvent old{EventType::checked("account.opened", 7), R"({"owner":"Ada"})"};
    store.append("account-1", no_stream, {old});
    CHECK_THROWS_WITH_AS(Repository<Account>{store}.load("account-1"), doctest::Contains("upcasts"),
                         InvalidError);
}

TEST_CASE("a payload that does not fit is reported with its stream and version") {
    auto store = open_store();
    const NewEvent broken{Deposited::type, R"({"cents":"many"})"};
    store.append("account-1", no_stream, {Opened{"Ada"}, broken});
    CHECK_THROWS_WITH_AS(Repository<Account>{store}.load("account-1"),
                         doctest::Contains("stream 'account-1', event 2"), CorruptError);
}

TEST_CASE("an aggregate behind upcasters is saved at the version of its stream") {
    auto catalog = std::make_shared<EventCatalog>();
    catalog->add<Opened, Deposited, Withdrawn>();
    catalog->upcast({"account.renamed", 1}, {},
                    [](const nlohmann::json&) { return std::vector<UpcastEvent>{}; });
    catalog->upcast({"account.doubled", 1}, {Deposited::type}, [](const nlohmann::json& old) {
        const Deposited half{old.at("cents")};
        return std::vector<UpcastEvent>{half, half};
    });
    auto store = test::new_store({.catalog = catalog});
    const NewEvent dropped{{"account.renamed", 1}, "{}"};
    store.append("account-1", no_stream,
                 {Opened{"Ada"}, NewEvent{{"account.doubled", 1}, R"({"cents":4})"}, dropped});

    Repository<Account> accounts{store};
    Account account = accounts.load("account-1");
    CHECK(account.balance() == 8);
    CHECK(account.version() == Version{3});
    account.deposit(1);
    CHECK(accounts.save(account).version == Version{4});
}

TEST_CASE("a long stream is folded whole across pages") {
    auto store = open_store();
    std::vector<NewEvent> events(2'500, NewEvent{Deposited{1}});
    for (NewEvent& event : events) event.id = EventId::generate();
    store.append("account-1", no_stream, events);
    const Account account = Repository<Account>{store}.load("account-1");
    CHECK(account.balance() == 2'500);
    CHECK(account.version() == Version{2'500});
}

TEST_CASE("what led to a save is in the events that it stored") {
    auto store = open_store();
    Repository<Account> accounts{store};
    const Trace trace{EventId::generate(), EventId::generate()};
    accounts.save(Account::open("account-1", "Ada"),
                  {.trace = trace, .metadata = R"({"clerk":"Bob"})"});
    for (const EventView event : store.read("account-1")) {
        CHECK(event.correlation() == trace.correlation);
        CHECK(event.causation() == trace.causation);
        CHECK(event.metadata() == R"({"clerk":"Bob"})");
    }
}

TEST_CASE("within a transaction aggregates see what it wrote and carry its trace") {
    auto store = open_store();
    Repository<Account> accounts{store};
    const Trace trace{EventId::generate(), EventId::generate()};
    store.transact(
        [&](Transaction& tx) {
            Account account = Account::open("account-1", "Ada");
            account.deposit(50);
            CHECK(accounts.save(tx, account).version == Version{2});
            accounts.update(tx, "account-1", [](Account& again) { again.withdraw(20); });
            accounts.update_or_create(tx, "account-2", [](Account& other) { other.deposit(20); });
            CHECK(accounts.load(tx, "account-1").balance() == 30);
            CHECK_FALSE(accounts.find(tx, "account-3").has_value());
            CHECK_THROWS_AS(accounts.update(tx, "account-3", [](Account&) {}), NotFoundError);
        },
        trace);
    CHECK(accounts.load("account-2").balance() == 20);
    for (const EventView event : store.read_all()) {
        CHECK(event.correlation() == trace.correlation);
    }
}

TEST_CASE("a transaction that fails leaves nothing of the aggregates saved in it") {
    auto store = open_store();
    Repository<Account> accounts{store};
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
        accounts.save(tx, Account::open("account-1", "Ada"));
        accounts.update(tx, "account-1", [](Account& account) { account.withdraw(1); });
    }),
                    std::domain_error);
    CHECK_FALSE(accounts.find("account-1").has_value());
}

TEST_CASE("a save within a transaction that conflicts is not retried") {
    auto store = open_store();
    Repository<Account> accounts{store};
    accounts.save(Account::open("account-1", "Ada"));
    Account stale = accounts.load("account-1");
    interfere(store, "account-1");
    stale.deposit(10);
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) { accounts.save(tx, stale); }),
                    ConflictError);
}

namespace {

class Restless : public AggregateRoot<Restless, Deposited> {
public:
    using AggregateRoot::AggregateRoot;
    bool echo = true;

private:
    friend AggregateRoot;
    void on(const Deposited& event) {
        if (std::exchange(echo, false)) raise(event);
    }
};

}  // namespace

TEST_CASE("an aggregate that raises while it is loaded gets an error") {
    auto store = open_store();
    interfere(store, "restless-1");
    CHECK_THROWS_WITH_AS(Repository<Restless>{store}.load("restless-1"),
                         doctest::Contains("on() raises"), InvalidError);
}
