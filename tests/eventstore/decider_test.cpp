#include <doctest/doctest.h>

#include "daybook/eventstore/eventstore.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;

namespace {

struct ItemAdded {
    static constexpr EventType type{"cart.item-added", 1};
    std::string sku;
    static constexpr auto fields() { return daybook::fields("sku", &ItemAdded::sku); }
};
struct CheckedOut {
    static constexpr EventType type{"cart.checked-out", 1};
    int items = 0;
    static constexpr auto fields() { return daybook::fields("items", &CheckedOut::items); }
};

struct AddItem {
    std::string sku;
};
struct CheckOut {};
struct Sail {};

struct Cart {
    using Events = EventList<ItemAdded, CheckedOut>;
    struct State {
        int items = 0;
        bool open = true;
        static constexpr auto fields() {
            return daybook::fields("items", &State::items, "open", &State::open);
        }
    };

    static Events decide(const State& cart, const AddItem& command) {
        if (!cart.open) throw std::domain_error{"the cart is checked out"};
        return ItemAdded{command.sku};
    }
    static Events decide(const State& cart, const CheckOut&) {
        if (!cart.open) return {};
        if (cart.items == 0) throw std::domain_error{"the cart is empty"};
        return {CheckedOut{cart.items}};
    }
    static void evolve(State& cart, const ItemAdded&) { ++cart.items; }
    static void evolve(State& cart, const CheckedOut&) { cart.open = false; }
};

/// A decider of pure functions, with its own initial state and no codec.
struct Stock {
    using Events = EventList<ItemAdded>;
    struct State {
        explicit State(int count) : left(count) {}
        int left;
    };
    static State initial() { return State{2}; }
    static Events decide(const State& stock, const AddItem& command) {
        if (stock.left == 0) return {};
        return {ItemAdded{command.sku}};
    }
    static State evolve(State stock, const ItemAdded&) { return State{stock.left - 1}; }
};

static_assert(Decider<Cart> && Decider<Stock>);
static_assert(CommandOf<AddItem, Cart> && CommandOf<CheckOut, Cart> && !CommandOf<Sail, Cart>);
static_assert(!std::constructible_from<Stock::Events, CheckedOut>,
              "a decision is made of the events that the decider lists");

}  // namespace

TEST_CASE("a command is decided on the state of its stream and its events are stored") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store};
    const auto added = carts.handle("cart-1", AddItem{"pen"});
    CHECK(added.version == Version{1});
    CHECK(added.position == Position{1});
    CHECK(added.state.items == 1);
    REQUIRE(added.events.size() == 1);
    CHECK(added.events.span()[0].data == R"({"sku":"pen"})");

    const auto checked_out = carts.handle("cart-1", CheckOut{});
    CHECK(checked_out.version == Version{2});
    CHECK_FALSE(checked_out.state.open);
    CHECK(store.version("cart-1") == Version{2});
}

TEST_CASE("a command that decides nothing stores nothing") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store};
    carts.handle("cart-1", AddItem{"pen"});
    carts.handle("cart-1", CheckOut{});
    const auto again = carts.handle("cart-1", CheckOut{});
    CHECK(again.events.empty());
    CHECK(again.version == Version{2});
    CHECK(again.position == Position{2});
    CHECK(store.head() == Position{2});
}

TEST_CASE("a refused command passes on what was thrown and stores nothing") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store};
    CHECK_THROWS_AS(carts.handle("cart-1", CheckOut{}), std::domain_error);
    CHECK(store.head() == Position{0});
}

TEST_CASE("a stream without events is in its first state") {
    auto store = test::new_store();
    CommandHandler<Stock> stock{store};
    CHECK(stock.load("stock-1").state.left == 2);
    CHECK(stock.load("stock-1").version == Version{0});
    CHECK(stock.handle("stock-1", AddItem{"a"}).state.left == 1);
    CHECK(stock.handle("stock-1", AddItem{"b"}).state.left == 0);
    CHECK(stock.handle("stock-1", AddItem{"c"}).events.empty());
    CHECK(stock.load("stock-1").state.left == 0);
}

TEST_CASE("a function from the state to events is a command too") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store};
    const auto handled = carts.handle("cart-1", [](const Cart::State& cart) -> Cart::Events {
        CHECK(cart.items == 0);
        return {ItemAdded{"pen"}, ItemAdded{"ink"}};
    });
    CHECK(handled.state.items == 2);
}

TEST_CASE("a command that conflicts is decided again") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store, {.retry = every(1ms).attempts(2)}};
    int decisions = 0;
    const auto handled = carts.handle("cart-1", [&](const Cart::State& cart) -> Cart::Events {
        if (++decisions == 1) store.append("cart-1", any_version, {ItemAdded{"pen"}});
        return CheckedOut{cart.items};
    });
    CHECK(decisions == 2);
    CHECK(handled.events.span()[0].data == R"({"items":1})");
    CHECK_THROWS_AS(carts.handle("cart-1",
                                 [&](const Cart::State&) -> Cart::Events {
                                     store.append("cart-1", any_version, {ItemAdded{"pen"}});
                                     return CheckedOut{};
                                 }),
                    ConflictError);
}

TEST_CASE("a decider's state has snapshots by the same rules") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store, {.snapshot_every = 2}};
    for (int i = 0; i < 3; ++i) carts.handle("cart-1", AddItem{"pen"});
    // A wrong snapshot shows that the load uses it, instead of folding the events.
    store.transact([](Transaction& tx) {
        detail::store_sql(tx).exec("UPDATE daybook_snapshot SET state = ?",
                                   R"({"items":40,"open":true})");
    });
    CHECK(carts.load("cart-1").state.items == 41);
    CHECK(carts.load("cart-1").version == Version{3});
    carts.snapshot("cart-1");
    store.query([](Sql& sql) { CHECK(sql.integer("SELECT version FROM daybook_snapshot") == 3); });
}

TEST_CASE("within a transaction a decider sees what the transaction wrote") {
    auto store = test::new_store();
    CommandHandler<Cart> carts{store};
    store.transact([&](Transaction& tx) {
        carts.handle(tx, "cart-1", AddItem{"pen"});
        CHECK(carts.handle(tx, "cart-1", CheckOut{}).version == Version{2});
        CHECK_FALSE(carts.load(tx, "cart-1").state.open);
    });
    CHECK(store.head() == Position{2});
}

TEST_CASE("a decider is specified in one sentence" * doctest::test_suite("no-store")) {
    spec<Cart>().given(ItemAdded{"pen"}).when(CheckOut{}).then(CheckedOut{1});
    spec<Cart>().given(ItemAdded{"pen"}, CheckedOut{1}).when(CheckOut{}).then_nothing();
    spec<Cart>().when(CheckOut{}).then_throws<std::domain_error>("empty");
    spec<Stock>().when(AddItem{"pen"}).then(ItemAdded{"pen"});
    spec<Cart>()
        .when([](const Cart::State&) -> Cart::Events { return ItemAdded{"pen"}; })
        .then(ItemAdded{"pen"});
    CHECK_THROWS_AS(spec<Cart>().given(ItemAdded{"pen"}).when(CheckOut{}).then(CheckedOut{2}),
                    SpecFailure);
}
