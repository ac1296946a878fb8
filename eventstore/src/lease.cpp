#include "daybook/eventstore/lease.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/error.hpp"

namespace daybook {

namespace {

constexpr std::string_view find_lease = "SELECT owner, until FROM lease WHERE name = ?";

constexpr std::string_view acquire_lease =
    "INSERT INTO lease(name, owner, token, until) VALUES(?, ?, 1, ?) "
    "ON CONFLICT(name) DO UPDATE SET owner = excluded.owner, token = lease.token + 1, "
    "until = excluded.until WHERE lease.until <= ? OR lease.owner = excluded.owner";

constexpr std::string_view lease_token = "SELECT token FROM lease WHERE name = ?";

constexpr std::string_view renew_lease =
    "UPDATE lease SET until = ? WHERE name = ? AND owner = ? AND token = ?";

// The row stays, so that the next token is a higher one.
constexpr std::string_view release_lease =
    "UPDATE lease SET owner = '', until = 0 WHERE name = ? AND owner = ? AND token = ?";

constexpr std::string_view is_lease_held =
    "SELECT 1 FROM lease WHERE name = ? AND owner = ? AND token = ?";

constexpr std::string_view list_leases =
    "SELECT name, owner, token, until FROM lease WHERE owner <> '' ORDER BY name";

// --- many at once: the last parameters are `names_max` names -------------------------------------

/// So many that one statement does for all that a relay has to do with.
constexpr std::size_t names_max = 32;

constexpr std::string_view find_many = "SELECT name, owner, token, until FROM lease WHERE name";
constexpr std::string_view take_many =
    "UPDATE lease SET owner = ?, token = token + 1, until = ? WHERE name";
constexpr std::string_view renew_many = "UPDATE lease SET until = ? WHERE name";
constexpr std::string_view release_many = "UPDATE lease SET owner = '', until = 0 WHERE name";

/// `statement` for names in portions of one size, so that it is one prepared statement. A name that
/// is given twice is as good as given once.
class ForNames {
public:
    explicit ForNames(std::string_view statement) : text_(std::string(statement) + " IN (?") {
        for (std::size_t i = 1; i < names_max; ++i) text_ += ", ?";
        text_ += ')';
    }

    /// `run(statement, parameters)` for each portion of the names, which `name_of` tells.
    template <class Items, class NameOf, class Run>
    void each(const Items& items, NameOf name_of, std::initializer_list<SqlValue> first,
              Run run) const {
        for (std::size_t at = 0; at < items.size(); at += names_max) {
            std::vector<SqlValue> values(first);
            const std::size_t end = std::min(at + names_max, items.size());
            for (std::size_t i = at; i < end; ++i) values.emplace_back(name_of(items[i]));
            values.resize(first.size() + names_max, values.back());
            run(std::string_view{text_}, std::span<const SqlValue>{values});
        }
    }

private:
    std::string text_;
};

std::string_view name_of_lease(const Lease& lease) { return lease.name; }

Lease read_lease(const SqlRow& row) {
    return {std::string(row.text(0)), std::string(row.text(1)),
            static_cast<std::uint64_t>(row.integer(2)), row.timestamp(3)};
}

/// The rows of these names, also of those that were released.
std::vector<Lease> rows_of(Sql& sql, std::span<const std::string> names) {
    static const ForNames statement{find_many};
    std::vector<Lease> rows;
    statement.each(
        names, [](const std::string& name) { return std::string_view{name}; }, {},
        [&](std::string_view text, Sql::Parameters values) {
            sql.query(text, values, [&](const SqlRow& row) { rows.push_back(read_lease(row)); });
        });
    return rows;
}

void change(Sql& sql, const ForNames& statement, const std::vector<Lease>& leases,
            std::initializer_list<SqlValue> first) {
    statement.each(
        leases, name_of_lease, first,
        [&](std::string_view text, Sql::Parameters values) { sql.execute(text, values); });
}

/// Those that nobody has released or acquired since.
std::vector<Lease> still_held(Sql& sql, std::vector<Lease> leases) {
    std::vector<std::string> names;
    for (const Lease& lease : leases) names.push_back(lease.name);
    const std::vector<Lease> rows = rows_of(sql, names);
    std::erase_if(leases, [&](const Lease& lease) {
        return std::ranges::none_of(rows, [&](const Lease& row) {
            return row.name == lease.name && row.owner == lease.owner && row.token == lease.token;
        });
    });
    return leases;
}

void require_positive(std::string_view name, std::chrono::milliseconds duration) {
    if (duration > duration.zero()) return;
    throw InvalidError("lease '" + std::string(name) +
                       "': a lease of no time holds nothing: give it a positive duration");
}

void require_names(std::string_view name, std::string_view owner) {
    if (!name.empty() && !owner.empty()) return;
    throw InvalidError("lease '" + std::string(name) + "' for owner '" + std::string(owner) +
                       "': a lease needs a name and an owner: give it both");
}

}  // namespace

std::optional<Lease> Leases::try_acquire(std::string_view name, std::string_view owner,
                                         std::chrono::milliseconds duration) {
    require_names(name, owner);
    require_positive(name, duration);
    // Those who ask in vain, which is most of them most of the time, keep away from the writers.
    if (held_by_another(name, owner)) return std::nullopt;
    std::optional<Lease> lease;
    store_.transact([&](Transaction& tx) { lease = try_acquire(tx, name, owner, duration); });
    return lease;
}

std::optional<Lease> Leases::try_acquire(Transaction& tx, std::string_view name,
                                         std::string_view owner,
                                         std::chrono::milliseconds duration) {
    require_names(name, owner);
    require_positive(name, duration);
    const Timestamp now = clock_->now();
    const Timestamp until = now + duration;
    if (tx.sql().exec(acquire_lease, name, owner, until, now) == 0) return std::nullopt;
    const auto token = tx.sql().integer(lease_token, name);
    return Lease{std::string(name), std::string(owner), static_cast<std::uint64_t>(*token), until};
}

bool Leases::held_by_another(std::string_view name, std::string_view owner) const {
    bool held = false;
    store_.query([&](Sql& sql) {
        sql.each(
            find_lease,
            [&](const SqlRow& row) {
                held = row.text(0) != owner && row.timestamp(1) > clock_->now();
            },
            name);
    });
    return held;
}

bool Leases::renew(Lease& lease, std::chrono::milliseconds duration) {
    bool renewed = false;
    Lease extended = lease;
    store_.transact([&](Transaction& tx) { renewed = renew(tx, extended, duration); });
    if (renewed) lease = std::move(extended);
    return renewed;
}

bool Leases::renew(Transaction& tx, Lease& lease, std::chrono::milliseconds duration) {
    require_positive(lease.name, duration);
    const Timestamp until = clock_->now() + duration;
    if (tx.sql().exec(renew_lease, until, lease.name, lease.owner, lease.token) == 0) return false;
    lease.until = until;
    return true;
}

void Leases::release(const Lease& lease) {
    store_.transact([&](Transaction& tx) { release(tx, lease); });
}

void Leases::release(Transaction& tx, const Lease& lease) {
    tx.sql().exec(release_lease, lease.name, lease.owner, lease.token);
}

std::vector<Lease> Leases::try_acquire(Transaction& tx, std::span<const std::string> names,
                                       std::string_view owner, std::chrono::milliseconds duration) {
    std::vector<Lease> rows = rows_of(tx.sql(), names);
    std::vector<Lease> acquired;
    for (const std::string& name : names) {
        require_names(name, owner);
        require_positive(name, duration);
        // A name that was never acquired has no row: that happens once.
        if (std::ranges::find(rows, name, &Lease::name) != rows.end()) continue;
        if (auto lease = try_acquire(tx, name, owner, duration)) acquired.push_back(*lease);
    }
    const Timestamp now = clock_->now();
    std::erase_if(rows, [&](const Lease& row) { return row.until > now && row.owner != owner; });
    static const ForNames statement{take_many};
    change(tx.sql(), statement, rows, {owner, now + duration});
    for (const Lease& row : rows) {
        acquired.push_back({row.name, std::string(owner), row.token + 1, now + duration});
    }
    return acquired;
}

std::vector<Lease> Leases::renew(Transaction& tx, std::vector<Lease> leases,
                                 std::chrono::milliseconds duration) {
    for (const Lease& lease : leases) require_positive(lease.name, duration);
    std::vector<Lease> renewed = still_held(tx.sql(), std::move(leases));
    const Timestamp until = clock_->now() + duration;
    static const ForNames statement{renew_many};
    change(tx.sql(), statement, renewed, {until});
    for (Lease& lease : renewed) lease.until = until;
    return renewed;
}

void Leases::release(Transaction& tx, const std::vector<Lease>& leases) {
    static const ForNames statement{release_many};
    change(tx.sql(), statement, still_held(tx.sql(), leases), {});
}

std::vector<Lease> Leases::find(Transaction& tx, std::span<const std::string> names) const {
    std::vector<Lease> rows = rows_of(tx.sql(), names);
    std::erase_if(rows, [](const Lease& row) { return row.owner.empty(); });
    return rows;
}

bool Leases::held(Transaction& tx, const Lease& lease) const {
    return tx.sql().integer(is_lease_held, lease.name, lease.owner, lease.token).has_value();
}

std::vector<Lease> Leases::list() const {
    std::vector<Lease> leases;
    store_.query([&](Sql& sql) {
        sql.each(list_leases, [&](const SqlRow& row) { leases.push_back(read_lease(row)); });
    });
    return leases;
}

}  // namespace daybook
