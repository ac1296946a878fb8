#include "daybook/eventstore/lease.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"

namespace daybook {

namespace {

constexpr std::string_view find_lease =
    "SELECT name, owner, token, until, duration FROM daybook_lease WHERE name = ?";

constexpr std::string_view acquire_lease =
    "INSERT INTO daybook_lease(name, owner, token, until, duration) VALUES(?, ?, 1, ?, ?) "
    "ON CONFLICT(name) DO UPDATE SET owner = excluded.owner, token = daybook_lease.token + 1, "
    "until = excluded.until, duration = excluded.duration WHERE daybook_lease.until <= ? OR "
    "daybook_lease.owner = excluded.owner";

constexpr std::string_view lease_token = "SELECT token FROM daybook_lease WHERE name = ?";

constexpr std::string_view renew_lease =
    "UPDATE daybook_lease SET until = ?, duration = ? WHERE name = ? AND owner = ? AND token = ?";

// The row stays, so that the next token is a higher one. With the same token again, a late holder
// would pass for the new one.
constexpr std::string_view release_lease =
    "UPDATE daybook_lease SET owner = '', until = 0 WHERE name = ? AND owner = ? AND token = ?";

constexpr std::string_view is_lease_held =
    "SELECT 1 FROM daybook_lease WHERE name = ? AND owner = ? AND token = ?";

constexpr std::string_view list_leases =
    "SELECT name, owner, token, until, duration FROM daybook_lease WHERE owner <> '' ORDER BY name";

// Leases that started in the future, because the clock was set back since, start again now.
constexpr std::string_view shorten_leases =
    "UPDATE daybook_lease SET until = ? + duration WHERE owner <> '' AND until - duration > ?";

/// Two readings of one clock in two processes may differ by less than this without the clock having
/// been set back.
constexpr std::chrono::seconds set_back_min{1};

// --- several leases in one statement: the last parameters are `names_max` names ------------------

/// Enough for all leases of a relay in one statement.
constexpr std::size_t names_max = 36;

constexpr std::string_view find_many =
    "SELECT name, owner, token, until, duration FROM daybook_lease WHERE name";
constexpr std::string_view take_many =
    "UPDATE daybook_lease SET owner = ?, token = token + 1, until = ?, duration = ? WHERE name";
constexpr std::string_view renew_many =
    "UPDATE daybook_lease SET until = ?, duration = ? WHERE name";
constexpr std::string_view release_many =
    "UPDATE daybook_lease SET owner = '', until = 0 WHERE name";

/// Runs `statement` for lists of names. All lists have the same length, so that the engine prepares
/// a single statement; a shorter one is filled up with its last name, which changes nothing.
class ForNames {
public:
    explicit ForNames(std::string_view statement) : text_(std::string(statement) + " IN (?") {
        for (std::size_t i = 1; i < names_max; ++i) text_ += ", ?";
        text_ += ')';
    }

    /// Calls `run(statement, parameters)` for each list of names. `name_of` returns an item's name.
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
            static_cast<std::uint64_t>(row.integer(2)), row.timestamp(3),
            std::chrono::microseconds{row.integer(4)}};
}

/// The rows of these names, including released ones.
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

/// Those of the leases that were neither released nor acquired by another owner since.
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

std::int64_t micros(std::chrono::microseconds duration) noexcept { return duration.count(); }

void require_duration(std::string_view name, std::chrono::milliseconds duration) {
    if (duration <= duration.zero()) {
        throw InvalidError("lease '" + std::string(name) +
                           "': a lease of no time holds nothing: give it a positive duration");
    }
    if (duration >= forever) {
        throw InvalidError("lease '" + std::string(name) +
                           "': a lease without end could never be taken over from an owner that "
                           "died: give it a duration that others can wait for");
    }
}

void require_names(std::string_view name, std::string_view owner) {
    const auto is_name = [](std::string_view text) { return !text.empty() && is_clean_text(text); };
    if (is_name(name) && is_name(owner)) return;
    throw InvalidError("lease '" + clean_text(name) + "' for owner '" + clean_text(owner) +
                       "': a lease needs a name and an owner, both of UTF-8 without zero bytes");
}

}  // namespace

Leases::Leases(EventStore store) : Leases(store, detail::engine_of(store).clock()) {}

std::optional<Lease> Leases::try_acquire(std::string_view name, std::string_view owner,
                                         std::chrono::milliseconds duration) {
    require_names(name, owner);
    require_duration(name, duration);
    // Most calls find the lease held by another owner. They only read, so that they do not wait for
    // the write lock or keep others waiting.
    if (held_by_another(name, owner)) return std::nullopt;
    std::optional<Lease> lease;
    store_.transact([&](Transaction& tx) { lease = try_acquire(tx, name, owner, duration); });
    return lease;
}

std::optional<Lease> Leases::try_acquire(Transaction& tx, std::string_view name,
                                         std::string_view owner,
                                         std::chrono::milliseconds duration) {
    require_names(name, owner);
    require_duration(name, duration);
    const Timestamp now = clock_->now();
    const Timestamp until = saturating_add(now, duration);
    Sql& sql = detail::store_sql(tx);
    if (sql.exec(acquire_lease, name, owner, until, micros(duration), now) == 0) {
        sql.exec(shorten_leases, now, now + set_back_min);
        return std::nullopt;
    }
    const auto token = sql.integer(lease_token, name);
    return Lease{std::string(name), std::string(owner), static_cast<std::uint64_t>(*token), until,
                 duration};
}

bool Leases::held_by_another(std::string_view name, std::string_view owner) const {
    bool held = false;
    detail::query_store(store_, [&](Sql& sql) {
        sql.each(
            find_lease,
            [&](const SqlRow& row) {
                const Lease lease = read_lease(row);
                held = lease.owner != owner && lease.until > clock_->now() && !is_overlong(lease);
            },
            name);
    });
    return held;
}

bool Leases::is_overlong(const Lease& lease) const {
    return !lease.owner.empty() && lease.until - lease.duration > clock_->now() + set_back_min;
}

void Leases::shorten() {
    const Timestamp now = clock_->now();
    store_.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(shorten_leases, now, now + set_back_min);
    });
}

bool Leases::renew(Lease& lease, std::chrono::milliseconds duration) {
    bool renewed = false;
    Lease extended = lease;
    store_.transact([&](Transaction& tx) { renewed = renew(tx, extended, duration); });
    if (renewed) lease = std::move(extended);
    return renewed;
}

bool Leases::renew(Transaction& tx, Lease& lease, std::chrono::milliseconds duration) {
    require_duration(lease.name, duration);
    const Timestamp until = saturating_add(clock_->now(), duration);
    if (detail::store_sql(tx).exec(renew_lease, until, micros(duration), lease.name, lease.owner,
                                   lease.token) == 0)
        return false;
    lease.until = until;
    lease.duration = duration;
    return true;
}

void Leases::release(const Lease& lease) {
    store_.transact([&](Transaction& tx) { release(tx, lease); });
}

void Leases::release(Transaction& tx, const Lease& lease) {
    detail::store_sql(tx).exec(release_lease, lease.name, lease.owner, lease.token);
}

std::vector<Lease> Leases::try_acquire(Transaction& tx, std::span<const std::string> names,
                                       std::string_view owner, std::chrono::milliseconds duration) {
    std::vector<Lease> rows = rows_of(detail::store_sql(tx), names);
    std::vector<Lease> acquired;
    for (const std::string& name : names) {
        require_names(name, owner);
        require_duration(name, duration);
        // A name that was never acquired has no row yet. This happens once for each name.
        if (std::ranges::find(rows, name, &Lease::name) != rows.end()) continue;
        if (auto lease = try_acquire(tx, name, owner, duration)) acquired.push_back(*lease);
    }
    const Timestamp now = clock_->now();
    if (std::ranges::any_of(rows, [&](const Lease& row) { return is_overlong(row); })) {
        detail::store_sql(tx).exec(shorten_leases, now, now + set_back_min);
    }
    std::erase_if(rows, [&](const Lease& row) { return row.until > now && row.owner != owner; });
    static const ForNames statement{take_many};
    const Timestamp until = saturating_add(now, duration);
    change(detail::store_sql(tx), statement, rows, {owner, until, micros(duration)});
    for (const Lease& row : rows) {
        acquired.push_back({row.name, std::string(owner), row.token + 1, until, duration});
    }
    return acquired;
}

std::vector<Lease> Leases::renew(Transaction& tx, std::vector<Lease> leases,
                                 std::chrono::milliseconds duration) {
    for (const Lease& lease : leases) require_duration(lease.name, duration);
    std::vector<Lease> renewed = still_held(detail::store_sql(tx), std::move(leases));
    const Timestamp until = saturating_add(clock_->now(), duration);
    static const ForNames statement{renew_many};
    change(detail::store_sql(tx), statement, renewed, {until, micros(duration)});
    for (Lease& lease : renewed) {
        lease.until = until;
        lease.duration = duration;
    }
    return renewed;
}

void Leases::release(Transaction& tx, const std::vector<Lease>& leases) {
    static const ForNames statement{release_many};
    change(detail::store_sql(tx), statement, still_held(detail::store_sql(tx), leases), {});
}

std::vector<Lease> Leases::find(Transaction& tx, std::span<const std::string> names) const {
    std::vector<Lease> rows = rows_of(detail::store_sql(tx), names);
    std::erase_if(rows, [](const Lease& row) { return row.owner.empty(); });
    return rows;
}

bool Leases::held(Transaction& tx, const Lease& lease) const {
    return detail::store_sql(tx)
        .integer(is_lease_held, lease.name, lease.owner, lease.token)
        .has_value();
}

std::vector<Lease> Leases::list() const {
    std::vector<Lease> leases;
    detail::query_store(store_, [&](Sql& sql) {
        sql.each(list_leases, [&](const SqlRow& row) { leases.push_back(read_lease(row)); });
    });
    return leases;
}

}  // namespace daybook
