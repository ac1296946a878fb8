#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "daybook/eventstore/eventstore.hpp"

// The bank that the tests of aggregates use.
namespace bank {

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
/// An event of another domain: no account lists it.
struct Sunk {
    static constexpr daybook::EventType type{"ship.sunk", 1};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Opened, owner)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Deposited, cents)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Withdrawn, cents)
inline void to_json(nlohmann::json& json, const Sunk&) { json = nlohmann::json::object(); }
inline void from_json(const nlohmann::json&, Sunk&) {}

/// As a user without snapshots would write it.
class Account : public daybook::AggregateRoot<Account, Opened, Deposited, Withdrawn> {
public:
    using AggregateRoot::AggregateRoot;

    static Account open(daybook::StreamName id, std::string owner) {
        Account account{std::move(id)};
        account.raise(Opened{std::move(owner)});
        return account;
    }
    void deposit(std::int64_t cents) { raise(Deposited{cents}); }
    void withdraw(std::int64_t cents) {
        if (cents > balance_) throw std::domain_error{"insufficient funds"};
        raise(Withdrawn{cents});
    }
    std::int64_t balance() const noexcept { return balance_; }
    const std::string& owner() const noexcept { return owner_; }

    template <class E>
    static constexpr bool can_raise =
        requires(Account& account, const E& event) { account.raise(event); };

private:
    friend AggregateRoot;
    void on(const Opened& event) { owner_ = event.owner; }
    void on(const Deposited& event) { balance_ += event.cents; }
    void on(const Withdrawn& event) { balance_ -= event.cents; }

    std::string owner_;
    std::int64_t balance_ = 0;
};

/// The same with a state that can be encoded, and a count of the events that were folded.
class Vault : public daybook::AggregateRoot<Vault, Opened, Deposited, Withdrawn> {
public:
    using AggregateRoot::AggregateRoot;
    static constexpr auto fields() { return daybook::fields("balance", &Vault::balance_); }

    void deposit(std::int64_t cents) { raise(Deposited{cents}); }
    std::int64_t balance() const noexcept { return balance_; }
    int folded() const noexcept { return folded_; }

private:
    friend AggregateRoot;
    void on(const Opened&) { ++folded_; }
    void on(const Deposited& event) {
        ++folded_;
        balance_ += event.cents;
    }
    void on(const Withdrawn& event) {
        ++folded_;
        balance_ -= event.cents;
    }

    std::int64_t balance_ = 0;
    int folded_ = 0;
};

}  // namespace bank
