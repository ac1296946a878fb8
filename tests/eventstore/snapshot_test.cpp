#include <doctest/doctest.h>

#include "aggregate_bank.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace bank;
using namespace std::chrono_literals;

// Options of snapshots for a state that cannot be encoded do not compile.
template <class A>
constexpr bool takes_snapshots_by_count =
    requires(EventStore store) { Repository<A>{store, {.snapshot_every = 100}}; };
template <class A>
constexpr bool takes_snapshots_on_demand =
    requires(Repository<A> repository, A aggregate) { repository.snapshot(aggregate); };
template <class A>
constexpr bool takes_retries =
    requires(EventStore store) { Repository<A>{store, {.retry = every(1ms)}}; };
static_assert(takes_snapshots_by_count<Vault> && takes_snapshots_on_demand<Vault>);
static_assert(!takes_snapshots_by_count<Account> && !takes_snapshots_on_demand<Account>);
static_assert(takes_retries<Vault> && takes_retries<Account>);

namespace {

EventStore open_store() { return test::new_store(); }

void deposit(Vault& vault) { vault.deposit(1); }

struct Row {
    std::string aggregate;
    std::int64_t version = 0;
    std::string state;
};

std::vector<Row> snapshots(const EventStore& store) {
    std::vector<Row> rows;
    store.query([&](Sql& sql) {
        sql.each(
            "SELECT aggregate, version, state FROM daybook_snapshot ORDER BY stream, aggregate",
            [&](const SqlRow& row) {
                rows.push_back(
                    {std::string(row.text(0)), row.integer(1), std::string(row.text(2))});
            });
    });
    return rows;
}

template <class... Values>
void change_snapshots(EventStore& store, std::string_view sql, const Values&... values) {
    store.transact([&](Transaction& tx) { CHECK(detail::store_sql(tx).exec(sql, values...) > 0); });
}

/// Makes every replacement of a snapshot fail with `no room`.
void refuse_snapshots(EventStore& store) {
    const char* const script = test::on_postgres()
                                   ? "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql "
                                     "AS 'BEGIN RAISE EXCEPTION ''no room''; END';"
                                     "CREATE TRIGGER full_up BEFORE UPDATE ON daybook_snapshot "
                                     "FOR EACH ROW EXECUTE FUNCTION refuse()"
                                   : "CREATE TRIGGER full_up BEFORE UPDATE ON daybook_snapshot "
                                     "BEGIN SELECT RAISE(ABORT, 'no room'); END";
    store.transact([&](Transaction& tx) { detail::store_sql(tx).script(script); });
}

/// A stream of ten deposits with a snapshot of all but the last one.
void fill(Repository<Vault>& vaults) {
    for (int i = 0; i < 9; ++i) vaults.update_or_create("vault-1", deposit);
    Vault vault = vaults.load("vault-1");
    vaults.snapshot(vault);
    vaults.update("vault-1", deposit);
}

}  // namespace

TEST_CASE("a snapshot is taken when enough events came after the last one") {
    auto store = open_store();
    Repository<Vault> vaults{store, {.snapshot_every = 3}};
    std::vector<std::int64_t> versions;
    for (int i = 0; i < 7; ++i) {
        vaults.update_or_create("vault-1", deposit);
        const auto rows = snapshots(store);
        versions.push_back(rows.empty() ? 0 : rows.front().version);
    }
    CHECK(versions == std::vector<std::int64_t>{0, 0, 3, 3, 3, 6, 6});
    CHECK(snapshots(store).size() == 1);
    CHECK(snapshots(store).front().aggregate == "bank::Vault");
    CHECK(snapshots(store).front().state == R"({"balance":6})");

    const Vault vault = vaults.load("vault-1");
    CHECK(vault.balance() == 7);
    CHECK(vault.version() == Version{7});
    CHECK(vault.folded() == 1);
}

TEST_CASE("a snapshot of the newest version is a whole aggregate") {
    auto store = open_store();
    Repository<Vault> vaults{store, {.snapshot_every = 1}};
    vaults.update_or_create("vault-1", deposit);
    Vault vault = vaults.load("vault-1");
    CHECK(vault.folded() == 0);
    CHECK(vault.version() == Version{1});
    CHECK(vaults.save(vault).position == Position{1});
    vault.deposit(1);
    CHECK(vaults.save(vault).version == Version{2});
}

TEST_CASE("a snapshot is taken after a slow load") {
    auto store = open_store();
    Repository<Vault> slow{store, {.snapshot_when_load_exceeds = 1h}};
    Repository<Vault> fast{store, {.snapshot_when_load_exceeds = 1us}};
    slow.update_or_create("vault-1", deposit);
    slow.update("vault-1", deposit);
    CHECK(snapshots(store).empty());
    fast.update("vault-1", deposit);
    REQUIRE(snapshots(store).size() == 1);
    CHECK(snapshots(store).front().version == 3);
}

TEST_CASE("a snapshot on demand is of what is stored and of nothing else") {
    Repository<Vault> vaults{open_store()};
    Vault vault{"vault-1"};
    CHECK_THROWS_AS(vaults.snapshot(vault), InvalidError);
    vault.deposit(1);
    CHECK_THROWS_AS(vaults.snapshot(vault), InvalidError);
    vaults.save(vault);
    vaults.snapshot(vault);
    CHECK(vaults.load("vault-1").folded() == 0);
}

TEST_CASE("a snapshot within a transaction commits with it or not at all") {
    auto store = open_store();
    Repository<Vault> vaults{store, {.snapshot_every = 1}};
    CHECK_THROWS(store.transact([&](Transaction& tx) {
        vaults.update_or_create(tx, "vault-1", deposit);
        throw std::runtime_error{"changed my mind"};
    }));
    CHECK(snapshots(store).empty());
    store.transact([&](Transaction& tx) {
        vaults.update_or_create(tx, "vault-1", deposit);
        CHECK(vaults.load(tx, "vault-1").folded() == 0);
    });
    CHECK(snapshots(store).size() == 1);
}

TEST_CASE("a snapshot that does not fit is ignored and replaced by the next") {
    auto store = open_store();
    Repository<Vault> vaults{store, {.snapshot_every = 100}};
    fill(vaults);
    REQUIRE(vaults.load("vault-1").folded() == 1);

    SUBCASE("another shape") {
        change_snapshots(store, "UPDATE daybook_snapshot SET fingerprint = 'old'");
    }
    SUBCASE("not JSON") { change_snapshots(store, "UPDATE daybook_snapshot SET state = '{'"); }
    SUBCASE("other JSON") {
        change_snapshots(store, "UPDATE daybook_snapshot SET state = '{\"balance\":\"much\"}'");
    }
    SUBCASE("ahead of the stream") {
        change_snapshots(store, "UPDATE daybook_snapshot SET version = 11");
    }
    SUBCASE("of another history") {
        change_snapshots(store, "UPDATE daybook_snapshot SET event = ?", EventId::generate());
    }
    Vault vault = vaults.load("vault-1");
    CHECK(vault.folded() == 10);
    CHECK(vault.balance() == 10);
    CHECK(vault.version() == Version{10});

    vaults.snapshot(vault);
    CHECK(snapshots(store).size() == 1);
    CHECK(vaults.load("vault-1").folded() == 0);
}

TEST_CASE("a snapshot that cannot be written fails no save and is logged") {
    std::string log;
    auto store = test::new_store({.log = [&](LogLevel, std::string_view text) { log += text; }});
    change_snapshots(
        store, "INSERT INTO daybook_snapshot VALUES('vault-1', 'bank::Vault', '', 0, ?, '', 0)",
        EventId::generate());
    refuse_snapshots(store);
    Repository<Vault> vaults{store, {.snapshot_every = 1}};
    CHECK(vaults.update_or_create("vault-1", deposit).version == Version{1});
    CHECK(log.find("vault-1") != std::string::npos);
    CHECK(log.find("no room") != std::string::npos);
}

namespace {

// Builds of one program: build 2 has raised its number, 3 has renamed a field, 4 has another
// default.
template <int Build>
class Till : public AggregateRoot<Till<Build>, Deposited> {
    using Base = AggregateRoot<Till<Build>, Deposited>;

public:
    using Base::Base;
    static constexpr int snapshot_version = Build == 2 ? 2 : 1;
    static constexpr auto fields() {
        if constexpr (Build == 3) {
            return daybook::fields("cents", &Till::cents_);
        } else {
            return daybook::fields("sum", &Till::cents_);
        }
    }

private:
    friend Base;
    void on(const Deposited& event) { cents_ += event.cents; }
    std::int64_t cents_ = Build == 4 ? 1 : 0;
};

template <int Build>
std::string stored_fingerprint(EventStore& store) {
    Repository<Till<Build>> tills{store};
    auto till = tills.load("till-1");
    tills.snapshot(till);
    std::string found;
    store.query([&](Sql& sql) {
        found = *sql.text("SELECT fingerprint FROM daybook_snapshot WHERE aggregate LIKE ?",
                          "%<" + std::to_string(Build) + ">");
    });
    return found;
}

}  // namespace

TEST_CASE("a fingerprint changes with the names of fields and defaults and the raised number") {
    auto store = open_store();
    store.append("till-1", no_stream, {Deposited{1}});
    const auto first = stored_fingerprint<1>(store);
    CHECK(first.size() == 64);
    CHECK(stored_fingerprint<0>(store) == first);
    CHECK(stored_fingerprint<2>(store) != first);
    CHECK(stored_fingerprint<3>(store) != first);
    CHECK(stored_fingerprint<4>(store) != first);
}

TEST_CASE("two kinds of aggregate on one stream keep a snapshot each") {
    auto store = open_store();
    store.append("till-1", no_stream, {Deposited{1}});
    stored_fingerprint<1>(store);
    stored_fingerprint<3>(store);
    CHECK(snapshots(store).size() == 2);
}

namespace {

/// Described for nlohmann::json, and made from certain names only.
class Numbered : public AggregateRoot<Numbered, Deposited> {
public:
    explicit Numbered(const StreamName& id)
        : AggregateRoot(id), number_(std::stoi(std::string(id.id()))) {}
    int number() const noexcept { return number_; }
    std::int64_t sum() const noexcept { return sum_; }
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Numbered, sum_)

private:
    friend AggregateRoot;
    void on(const Deposited& event) { sum_ += event.cents; }
    int number_;
    std::int64_t sum_ = 0;
};

}  // namespace

TEST_CASE("an aggregate that is made from certain names only has snapshots too") {
    auto store = open_store();
    store.append("numbered-7", no_stream, {Deposited{3}});
    Repository<Numbered> repository{store};
    Numbered numbered = repository.load("numbered-7");
    repository.snapshot(numbered);
    CHECK(snapshots(store).front().state == R"({"sum_":3})");
    const Numbered again = repository.load("numbered-7");
    CHECK(again.number() == 7);
    CHECK(again.sum() == 3);
}
