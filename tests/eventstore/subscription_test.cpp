#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daybook/eventstore/eventstore.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;
using daybook::test::eventually;

namespace {

constexpr auto soon = daybook::test::patience();

NewEvent event_of(const char* type) { return {EventType::checked(type, 1), "{}"}; }

EventStore store_of(int events) {
    auto store = test::new_store();
    for (int i = 0; i < events; ++i) store.append("thing-1", any_version, {event_of("thing.done")});
    return store;
}

/// Records the events of a handler, from the thread of its subscription.
class Seen {
public:
    SubscriptionHandler handler() {
        return [this](EventView event) {
            const std::scoped_lock lock{mutex_};
            positions_.push_back(event.position().value());
        };
    }
    std::vector<std::uint64_t> positions() const {
        const std::scoped_lock lock{mutex_};
        return positions_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::uint64_t> positions_;
};

}  // namespace

TEST_CASE("a follower reads the stored events and then the new ones") {
    auto store = store_of(2);
    Follower follower{store};
    CHECK(follower.next(0ms)->position() == Position{1});
    CHECK_FALSE(follower.at_end());
    CHECK(follower.next(0ms)->position() == Position{2});
    CHECK_FALSE(follower.next(0ms).has_value());
    CHECK(follower.at_end());
    store.append("thing-1", any_version, {event_of("thing.done")});
    CHECK(follower.next(0ms)->position() == Position{3});
    CHECK(follower.position() == Position{3});
}

TEST_CASE("a follower starts after a position and skips what is filtered") {
    auto store = store_of(3);
    store.append("other-1", any_version, {event_of("other.done"), event_of("thing.done")});
    store.append("thing-1", any_version, {event_of("thing.done")});
    Follower follower{store,
                      {.after = 2, .filter = {.categories = {"thing"}, .types = {"thing.done"}}}};
    CHECK(follower.next(0ms)->position() == Position{3});
    CHECK(follower.next(0ms)->position() == Position{6});
    store.append("other-1", any_version, {event_of("other.done")});
    CHECK_FALSE(follower.next(0ms).has_value());
    CHECK(follower.position() == Position{7});
}

TEST_CASE("a follower waits no longer than its timeout and no longer than until the stop") {
    auto store = store_of(0);
    Follower follower{store};
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(follower.next(20ms).has_value());
    CHECK(std::chrono::steady_clock::now() - start >= 20ms);

    std::stop_source stop;
    stop.request_stop();
    CHECK_FALSE(follower.next(1h, stop.get_token()).has_value());
}

TEST_CASE("a follower passes an event only with the last of what upcasters made of it") {
    auto catalog = std::make_shared<EventCatalog>();
    catalog->upcast({"thing.doubled", 1}, {{"thing.done", 1}}, [](const nlohmann::json&) {
        const UpcastEvent done{{"thing.done", 1}, "{}"_json};
        return std::vector<UpcastEvent>{done, done};
    });
    auto store = test::new_store({.catalog = catalog});
    store.append("thing-1", any_version, {event_of("thing.doubled"), event_of("thing.done")});
    Follower follower{store};
    CHECK(follower.next(0ms)->position() == Position{1});
    CHECK(follower.position() == Position{0});
    CHECK(follower.next(0ms)->position() == Position{1});
    CHECK(follower.position() == Position{1});
    CHECK(follower.next(0ms)->position() == Position{2});
    CHECK(follower.position() == Position{2});
}

TEST_CASE("a subscription catches up and goes live and says so") {
    auto store = store_of(1'500);
    Seen seen;
    auto subscription = subscribe(store, {}, seen.handler());
    REQUIRE(subscription.wait_for(1'500, soon));
    CHECK(eventually([&] { return subscription.state() == SubscriptionState::live; }));
    CHECK(subscription.lag() == 0);

    store.append("thing-1", any_version, {event_of("thing.done")});
    REQUIRE(subscription.wait_for(1'501, soon));
    const auto positions = seen.positions();
    REQUIRE(positions.size() == 1'501);
    for (std::size_t i = 0; i < positions.size(); ++i) REQUIRE(positions[i] == i + 1);
    CHECK(subscription.last_error().empty());
}

TEST_CASE("a subscription moves on past events that it filters") {
    auto store = store_of(3);
    Seen seen;
    auto subscription =
        subscribe(store, {.after = 1, .filter = {.types = {"other.done"}}}, seen.handler());
    CHECK(subscription.wait_for(3, soon));
    store.append("other-1", any_version, {event_of("other.done"), event_of("thing.done")});
    CHECK(subscription.wait_for(5, soon));
    CHECK(seen.positions() == std::vector<std::uint64_t>{4});
    CHECK(subscription.lag() == 0);
}

TEST_CASE("a handler that throws ends the subscription which keeps the reason") {
    std::promise<std::string> logged;
    auto store = test::new_store({.log = [&](LogLevel level, std::string_view text) {
        if (level == LogLevel::error) {
            logged.set_value(std::string(text));
        }
    }});
    for (int i = 0; i < 3; ++i) store.append("thing-1", any_version, {event_of("thing.done")});
    auto subscription = subscribe(store, {.name = "mailer"}, [](EventView event) {
        if (event.position() == Position{2}) throw std::runtime_error{"no such address"};
    });
    CHECK_FALSE(subscription.wait_for(3, soon));
    CHECK(subscription.state() == SubscriptionState::failed);
    CHECK(subscription.position() == Position{1});
    CHECK(subscription.lag() == 2);
    const std::string error = subscription.last_error();
    CHECK(error.find("no such address") != std::string::npos);
    CHECK(error.find("position 2") != std::string::npos);
    CHECK(error.find("thing-1") != std::string::npos);
    CHECK(logged.get_future().get().find("mailer") != std::string::npos);
    subscription.stop();
    CHECK(subscription.state() == SubscriptionState::failed);
}

TEST_CASE("a subscription that was stopped goes on elsewhere without gap or repetition") {
    auto store = store_of(100);
    Seen seen;
    Position after;
    {
        auto subscription = subscribe(store, {}, seen.handler());
        subscription.wait_for(10, soon);
        subscription.stop();
        CHECK(subscription.state() == SubscriptionState::stopped);
        after = subscription.position();
    }
    auto subscription = subscribe(store, {.after = after}, seen.handler());
    REQUIRE(subscription.wait_for(100, soon));
    const auto positions = seen.positions();
    REQUIRE(positions.size() == 100);
    for (std::size_t i = 0; i < positions.size(); ++i) REQUIRE(positions[i] == i + 1);
}

TEST_CASE("a handler may stop and even destroy its own subscription") {
    auto store = store_of(3);
    SUBCASE("stop") {
        std::atomic<Subscription*> own = nullptr;
        std::atomic<int> handled = 0;
        auto subscription = subscribe(store, {}, [&](EventView) {
            while (own.load() == nullptr) std::this_thread::yield();
            own.load()->stop();
            ++handled;
        });
        own = &subscription;
        CHECK(eventually([&] { return subscription.state() == SubscriptionState::stopped; }));
        CHECK(handled == 1);
        CHECK(subscription.position() == Position{1});
    }
    SUBCASE("destroy") {
        std::promise<Subscription> made;
        std::promise<void> destroyed;
        auto own = std::make_shared<std::future<Subscription>>(made.get_future());
        made.set_value(subscribe(store, {}, [own, &destroyed](EventView) {
            { const Subscription gone = own->get(); }
            destroyed.set_value();
        }));
        CHECK(destroyed.get_future().wait_for(soon) == std::future_status::ready);
    }
}

TEST_CASE("a subscription that another one replaces is stopped") {
    auto store = store_of(1);
    Seen first;
    Seen second;
    auto subscription = subscribe(store, {}, first.handler());
    subscription.wait_for(1, soon);
    subscription = subscribe(store, {.after = 1}, second.handler());
    store.append("thing-1", any_version, {event_of("thing.done")});
    CHECK(subscription.wait_for(2, soon));
    CHECK(first.positions() == std::vector<std::uint64_t>{1});
    CHECK(second.positions() == std::vector<std::uint64_t>{2});
}
