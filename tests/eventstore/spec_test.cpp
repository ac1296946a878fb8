#include <doctest/doctest.h>

#include "aggregate_bank.hpp"

using namespace daybook;
using namespace bank;

namespace {

template <class Specify>
std::string failure_of(Specify&& specify) {
    try {
        specify();
    } catch (const SpecFailure& failure) {
        return failure.what();
    }
    return "met";
}

const auto withdraw_60 = [](Account& account) { account.withdraw(60); };

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("an account cannot be overdrawn") {
    spec<Account>()
        .given(Opened{"Ada"}, Deposited{50})
        .when(withdraw_60)
        .then_throws<std::domain_error>();
}

TEST_CASE("a spec that is met reports nothing") {
    spec<Account>().given(Deposited{100}).when(withdraw_60).then(Withdrawn{60});
    spec<Account>().given(Deposited{100}).when([](Account&) {}).then_nothing();
    spec<Account>().when(withdraw_60).then_throws<std::exception>("insufficient");
    spec<Account>().when([] { return Account::open("account-9", "Ada"); }).then(Opened{"Ada"});
    spec<Account>("account-7")
        .when([](Account& account) { CHECK(account.id() == StreamName{"account-7"}); })
        .then_nothing();
}

TEST_CASE("a spec that is not met shows what was given and expected and found") {
    const auto text = failure_of([] {
        spec<Account>()
            .given(Opened{"Ada"}, Deposited{100})
            .when([](Account& account) {
                account.deposit(1);
                account.withdraw(60);
            })
            .then(Deposited{1}, Withdrawn{61}, Deposited{2});
    });
    CHECK(text ==
          "spec<bank::Account> is not met\n"
          "  given\n"
          "    account.opened {\"owner\":\"Ada\"}\n"
          "    account.deposited {\"cents\":100}\n"
          "  then (- expected, + raised)\n"
          "    account.deposited {\"cents\":1}\n"
          "  - account.withdrawn {\"cents\":61}\n"
          "  + account.withdrawn {\"cents\":60}\n"
          "  - account.deposited {\"cents\":2}\n");
}

TEST_CASE("an exception where events were expected is reported with its text") {
    const auto text = failure_of([] { spec<Account>().when(withdraw_60).then(Withdrawn{60}); });
    CHECK(text ==
          "spec<bank::Account> is not met\n"
          "  given\n"
          "    nothing\n"
          "  expected\n"
          "    account.withdrawn {\"cents\":60}\n"
          "  but got\n"
          "    an exception: insufficient funds\n");
    CHECK(failure_of([] { spec<Account>().when(withdraw_60).then_nothing(); }) != "met");
}

TEST_CASE("events where an exception was expected are reported and so is another exception") {
    const auto none = failure_of([] {
        spec<Account>().given(Deposited{60}).when(withdraw_60).then_throws<std::domain_error>();
    });
    CHECK(none.find("an exception of type std::domain_error") != std::string::npos);
    CHECK(none.find("account.withdrawn {\"cents\":60}") != std::string::npos);

    const auto other =
        failure_of([] { spec<Account>().when(withdraw_60).then_throws<std::range_error>(); });
    CHECK(other.find("insufficient funds") != std::string::npos);

    const auto text = failure_of(
        [] { spec<Account>().when(withdraw_60).then_throws<std::domain_error>("closed"); });
    CHECK(text.find("that says 'closed'") != std::string::npos);
}

// What an aggregate does not list can be neither given nor expected.
template <class E>
constexpr bool can_be_given = requires(E event) { spec<Account>().given(event); };
template <class E>
constexpr bool can_be_expected =
    requires(SpecOutcome<Account> outcome, E event) { outcome.then(event); };
static_assert(can_be_given<Opened> && can_be_expected<Opened>);
static_assert(!can_be_given<Sunk> && !can_be_expected<Sunk>);

TEST_SUITE_END();
