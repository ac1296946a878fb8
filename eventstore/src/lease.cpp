#include "daybook/eventstore/lease.hpp"

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

bool Leases::held(Transaction& tx, const Lease& lease) const {
    return tx.sql().integer(is_lease_held, lease.name, lease.owner, lease.token).has_value();
}

std::vector<Lease> Leases::list() const {
    std::vector<Lease> leases;
    store_.query([&](Sql& sql) {
        sql.each(list_leases, [&](const SqlRow& row) {
            leases.push_back({std::string(row.text(0)), std::string(row.text(1)),
                              static_cast<std::uint64_t>(row.integer(2)), row.timestamp(3)});
        });
    });
    return leases;
}

}  // namespace daybook
