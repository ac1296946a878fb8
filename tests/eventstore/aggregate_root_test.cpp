#include <doctest/doctest.h>

#include "aggregate_bank.hpp"

using namespace daybook;
using namespace bank;

// The list of events in the base is a contract that the compiler keeps.
static_assert(Account::can_raise<Deposited>);
static_assert(!Account::can_raise<Sunk>);
static_assert(!Account::can_raise<int>);

template <class A>
constexpr bool can_be_changed_from_outside = requires(A& account) { account.on(Deposited{}); } ||
                                             requires(A& account) { account.raise(Deposited{}); };
static_assert(!can_be_changed_from_outside<Account>);

TEST_SUITE_BEGIN("no-store");

TEST_CASE("what an aggregate raises changes it at once and is pending") {
    Account account = Account::open("account-1", "Ada");
    account.deposit(100);
    account.withdraw(30);

    CHECK(account.id() == StreamName{"account-1"});
    CHECK(account.version() == Version{0});
    CHECK(account.owner() == "Ada");
    CHECK(account.balance() == 70);
    REQUIRE(account.pending().size() == 3);
    CHECK(account.pending()[2].type == Withdrawn::type);
    CHECK(account.pending()[2].data == R"({"cents":30})");
}

TEST_CASE("a refused command leaves an aggregate as it was") {
    Account account = Account::open("account-1", "Ada");
    CHECK_THROWS_AS(account.withdraw(1), std::domain_error);
    CHECK(account.balance() == 0);
    CHECK(account.pending().size() == 1);
}

TEST_CASE("an aggregate is a value: a copy goes its own way") {
    Account account = Account::open("account-1", "Ada");
    Account copy = account;
    copy.deposit(5);
    CHECK(account.balance() == 0);
    CHECK(account.pending().size() == 1);
    CHECK(copy.pending().size() == 2);
}

namespace {

struct Nonsense {
    static constexpr EventType type{"nonsense", 1};
    double value = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Nonsense, value)

class Careless : public AggregateRoot<Careless, Nonsense> {
public:
    using AggregateRoot::AggregateRoot;
    void say(double value) { raise(Nonsense{value}); }
    int seen = 0;

private:
    friend AggregateRoot;
    void on(const Nonsense&) { ++seen; }
};

}  // namespace

TEST_CASE("an event that cannot be encoded is raised neither in state nor in the pending list") {
    Careless careless{"careless-1"};
    CHECK_THROWS_AS(careless.say(std::numeric_limits<double>::quiet_NaN()), InvalidError);
    CHECK(careless.seen == 0);
    CHECK(careless.pending().empty());
}

TEST_CASE("a list of events holds events of its own kind only") {
    using Events = EventList<Opened, Deposited>;
    static_assert(std::constructible_from<Events, Deposited>);
    static_assert(!std::constructible_from<Events, Withdrawn>);

    Events events{Opened{"Ada"}, Deposited{7}};
    events.add(Deposited{8});
    CHECK(events.size() == 3);
    CHECK(events.span()[2].data == R"({"cents":8})");
    CHECK(Events{}.empty());
}

TEST_SUITE_END();
