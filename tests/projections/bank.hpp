#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projections.hpp"
#include "patience.hpp"

// A bank: events, projections and random histories for the tests of projections.
namespace bank {

using namespace daybook;
using daybook::test::eventually;

struct Opened {
    static constexpr EventType type{"account.opened", 1};
    std::string owner;
    static constexpr auto fields() { return daybook::fields("owner", &Opened::owner); }
};
struct Deposited {
    static constexpr EventType type{"account.deposited", 1};
    std::int64_t cents = 0;
    static constexpr auto fields() { return daybook::fields("cents", &Deposited::cents); }
};
struct Closed {
    static constexpr EventType type{"account.closed", 1};
    std::string why;
    static constexpr auto fields() { return daybook::fields("why", &Closed::why); }
};
/// No projection of the bank handles it.
struct Sunk {
    static constexpr EventType type{"ship.sunk", 1};
    int crew = 0;
    static constexpr auto fields() { return daybook::fields("crew", &Sunk::crew); }
};

/// Called by each handler after its statement; throws, counts or kills. All copies share it.
using Probe = std::function<void(Position)>;

inline constexpr std::string_view balances_schema =
    "CREATE TABLE balances(account TEXT PRIMARY KEY, owner TEXT NOT NULL, cents BIGINT NOT NULL);";
inline constexpr std::string_view balances_indexes =
    "CREATE INDEX balances_by_cents ON balances(cents);";

struct Balances : Projection<Balances, Opened, Deposited, Closed> {
    static constexpr std::string_view name = "balances";
    static constexpr int version = 1;
    static constexpr std::string_view schema = balances_schema;
    static constexpr std::string_view indexes = balances_indexes;
    static constexpr ErrorPolicy errors{every(std::chrono::milliseconds{0}).attempts(3)};

    Balances() = default;
    explicit Balances(Probe given) : probe(std::move(given)) {}

    void on(const Recorded<Opened>& e, View& view) {
        view.exec("INSERT INTO balances(account, owner, cents) VALUES(?, ?, 0)", e.stream(),
                  e->owner);
        call_probe(e.position());
    }
    void on(const Recorded<Deposited>& e, View& view) {
        view.exec("UPDATE balances SET cents = cents + ? WHERE account = ?", e->cents, e.stream());
        call_probe(e.position());
    }
    void on(const Recorded<Closed>& e, View& view) {
        view.exec("DELETE FROM balances WHERE account = ?", e.stream());
        call_probe(e.position());
    }
    void call_probe(Position position) const {
        if (probe) probe(position);
    }

    Probe probe;
};

/// The same handlers with another error policy.
template <OnFailure Then>
struct BalancesThat : Balances, Projection<BalancesThat<Then>, Opened, Deposited, Closed> {
    using Definition =
        typename Projection<BalancesThat<Then>, Opened, Deposited, Closed>::Definition;
    using Balances::Balances;
    static constexpr ErrorPolicy errors{every(std::chrono::milliseconds{0}).attempts(2), Then};
};

/// The next version of the definition, with another column.
struct BalancesV2 : Projection<BalancesV2, Opened, Deposited, Closed> {
    static constexpr std::string_view name = "balances";
    static constexpr int version = 2;
    static constexpr std::string_view schema =
        "CREATE TABLE balances(account TEXT PRIMARY KEY, cents BIGINT NOT NULL, "
        "deposits BIGINT NOT NULL);";
    void on(const Recorded<Opened>& e, View& view) {
        view.exec("INSERT INTO balances VALUES(?, 0, 0)", e.stream());
    }
    void on(const Recorded<Deposited>& e, View& view) {
        view.exec(
            "UPDATE balances SET cents = cents + ?, deposits = deposits + 1 "
            "WHERE account = ?",
            e->cents, e.stream());
    }
    void on(const Recorded<Closed>& e, View& view) {
        view.exec("DELETE FROM balances WHERE account = ?", e.stream());
    }
};

struct BalanceRow {
    std::string account;
    std::string owner;
    std::int64_t cents = 0;
    static constexpr auto fields() {
        return daybook::fields("account", &BalanceRow::account, "owner", &BalanceRow::owner,
                               "cents", &BalanceRow::cents);
    }
};

/// The rows of Balances, folded by key.
struct KeyedBalances : KeyedProjection<KeyedBalances, BalanceRow, Opened, Deposited, Closed> {
    static constexpr std::string_view name = "keyed-balances";
    static constexpr int version = 1;
    static constexpr ErrorPolicy errors{every(std::chrono::milliseconds{0}).attempts(2)};

    KeyedBalances() = default;
    explicit KeyedBalances(Probe given) : probe(std::move(given)) {}

    void on(const Recorded<Opened>& e, BalanceRow& row) {
        row.owner = e->owner;
        call_probe(e.position());
    }
    void on(const Recorded<Deposited>& e, std::optional<BalanceRow>& row) {
        if (row) row->cents += e->cents;
        call_probe(e.position());
    }
    void on(const Recorded<Closed>& e, std::optional<BalanceRow>& row) {
        row.reset();
        call_probe(e.position());
    }
    void call_probe(Position position) const {
        if (probe) probe(position);
    }

    Probe probe;
};

inline std::string account(int number) { return "account-" + std::to_string(number); }

/// A random history: accounts are opened, paid into, closed and opened again; some events are Sunk.
class History {
public:
    explicit History(unsigned seed, int accounts = 20) : random_(seed), accounts_(accounts) {}

    /// Appends about `count` events, a few at a time.
    void append_to(EventStore& store, int count) {
        for (int done = 0; done < count;) done += append_some(store);
    }

private:
    int append_some(EventStore& store) {
        const int number = pick(accounts_);
        const std::string stream = account(number);
        std::vector<NewEvent> events;
        if (!open_[number]) {
            events.emplace_back(Opened{"owner " + std::to_string(pick(1'000))});
            open_[number] = true;
        }
        for (int i = pick(4); i > 0; --i) events.emplace_back(Deposited{pick(10'000)});
        if (pick(10) == 0) {
            events.emplace_back(Closed{"moved"});
            open_[number] = false;
        }
        if (pick(5) == 0) store.append("ship-" + std::to_string(number), any_version, {Sunk{3}});
        if (events.empty()) return 0;
        store.append(stream, any_version, events);
        return static_cast<int>(events.size());
    }
    int pick(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

    std::mt19937 random_;
    const int accounts_;
    std::map<int, bool> open_;
};

/// All rows of a table in the order of its first column, as text.
inline std::vector<std::string> rows(Sql& sql, const std::string& table) {
    std::vector<std::string> found;
    sql.each("SELECT * FROM \"" + table + "\" ORDER BY 1", [&](const SqlRow& row) {
        std::string text;
        for (int column = 0; column < row.columns(); ++column) {
            text += std::string(row.text(column)) + '|';
        }
        found.push_back(text);
    });
    return found;
}

inline std::vector<std::string> rows(const EventStore& store, std::string_view projection,
                                     const std::string& table) {
    std::vector<std::string> found;
    ReadModels{store}.query(projection, [&](Sql& sql) { found = rows(sql, table); });
    return found;
}

/// The rows that the tables must hold, computed from the log without a projection.
inline std::vector<std::string> expected_rows(const EventStore& store) {
    std::map<std::string, std::pair<std::string, std::int64_t>> accounts;
    for (const EventView event : store.read_all()) {
        const std::string stream{event.stream()};
        if (event.is<Opened>()) accounts[stream] = {event.as<Opened>().owner, 0};
        if (event.is<Deposited>() && accounts.contains(stream)) {
            accounts[stream].second += event.as<Deposited>().cents;
        }
        if (event.is<Closed>()) accounts.erase(stream);
    }
    std::vector<std::string> found;
    for (const auto& [name, account] : accounts) {
        found.push_back(name + '|' + account.first + '|' + std::to_string(account.second) + '|');
    }
    return found;
}

}  // namespace bank
