#pragma once

#include <cstdint>
#include <string>

#include <daybook/projections/projections.hpp>
#include <daybook/sagas/sagas.hpp>

// The domain of the sample program; the tests use it to fill its stores.

namespace bank {

struct Opened {
    static constexpr daybook::EventType type{"account.opened", 1};
    std::string owner;
    static constexpr auto fields() { return daybook::fields("owner", &Opened::owner); }
};

struct Deposited {
    static constexpr daybook::EventType type{"account.deposited", 1};
    std::int64_t cents = 0;
    static constexpr auto fields() { return daybook::fields("cents", &Deposited::cents); }
};

struct CheckOwner {
    static constexpr daybook::EventType type{"check_owner", 1};
    std::string owner;
    static constexpr auto fields() { return daybook::fields("owner", &CheckOwner::owner); }
};

struct OwnerChecked {
    static constexpr daybook::EventType type{"owner_checked", 1};
    bool fine = false;
    static constexpr auto fields() { return daybook::fields("fine", &OwnerChecked::fine); }
};

struct UndoCheck {
    static constexpr daybook::EventType type{"undo_check", 1};
    std::string owner;
    static constexpr auto fields() { return daybook::fields("owner", &UndoCheck::owner); }
};

struct Admission {
    std::string owner;
    static constexpr auto fields() { return daybook::fields("owner", &Admission::owner); }
};

struct Balances : daybook::Projection<Balances, Deposited> {
    static constexpr std::string_view name = "balances";
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE balances(account TEXT PRIMARY KEY, cents BIGINT NOT NULL);";

    void on(const daybook::Recorded<Deposited>& event, daybook::View& view) {
        view.exec(
            "INSERT INTO balances(account, cents) VALUES(?, ?) "
            "ON CONFLICT(account) DO UPDATE SET cents = balances.cents + excluded.cents",
            event.stream(), event->cents);
    }
};

/// Parks an event whose owner has no name.
struct Owners : daybook::Projection<Owners, Opened> {
    static constexpr std::string_view name = "owners";
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE owners(account TEXT PRIMARY KEY, owner TEXT NOT NULL);";
    static constexpr daybook::ErrorPolicy errors{
        daybook::every(std::chrono::milliseconds{1}).attempts(1), daybook::OnFailure::park};

    void on(const daybook::Recorded<Opened>& event, daybook::View& view) {
        if (event->owner.empty()) throw std::domain_error("an owner without a name");
        view.exec("INSERT INTO owners(account, owner) VALUES(?, ?)", event.stream(), event->owner);
    }
};

inline daybook::SagaDefinition admission() {
    return daybook::saga<Admission>("admission", 1)
        .starts_on<Opened>([](const Opened& event) { return Admission{event.owner}; })
        .step("check")
        .send("police", [](const Admission& data) { return CheckOwner{data.owner}; })
        .on<OwnerChecked>()
        .undo([](const Admission& data) { return UndoCheck{data.owner}; })
        .build();
}

}  // namespace bank
