#include <algorithm>
#include <random>
#include <stdexcept>

#include <doctest/doctest.h>

#include "order_world.hpp"

// The process dies at each commit, one run per commit; and long runs with random faults of all
// kinds.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

struct PowerCut : std::runtime_error {
    PowerCut() : runtime_error("power cut") {}
};

/// Makes the n-th transaction that appends fail just before it commits.
class PowerCuts {
public:
    PowerCuts(EventStore& store, std::size_t at)
        : left_(at), hook_(store.add_commit_hook([this](Transaction&) {
              if (left_ > 0 && --left_ == 0) throw PowerCut{};
          })) {}
    bool happened() const { return left_ == 0; }

private:
    std::size_t left_;
    std::shared_ptr<void> hook_;
};

struct Scenario {
    const char* name;
    void (*prepare)(OrderWorld&);
    Texts effects;
    SagaStatus end;
};

const Scenario scenarios[] = {
    {"all is well",
     [](OrderWorld&) {},
     {"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"},
     SagaStatus::completed},
    {"the payment is declined and undoing is tedious",
     [](OrderWorld& world) {
         world.script<Charge>({Response::failure});
         world.script<FreeCredit>({Response::busy, Response::busy});
     },
     {"stock.reserve", "credit.hold", "credit.free", "stock.release"},
     SagaStatus::compensated},
    {"the credit is never answered",
     [](OrderWorld& world) { world.script<HoldCredit>({Response::lost_reply}); },
     {"stock.reserve", "credit.hold", "credit.free", "stock.release"},
     SagaStatus::compensated},
    {"everybody is busy at first",
     [](OrderWorld& world) {
         world.script<ReserveStock>({Response::busy});
         world.script<Charge>({Response::busy});
         world.script<Ship>({Response::failure, Response::busy});
     },
     {"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"},
     SagaStatus::completed},
};

void run_with_power_cut(OrderWorld& world) {
    try {
        world.run_to_the_end();
    } catch (const PowerCut&) {
        world.restart();
    }
}

}  // namespace

TEST_CASE("a crash at any commit changes nothing about the end") {
    for (const Scenario& scenario : scenarios) {
        CAPTURE(scenario.name);
        bool reached_the_end = false;
        for (std::size_t at = 1; !reached_the_end; ++at) {
            CAPTURE(at);
            OrderWorld world;
            scenario.prepare(world);
            world.place("1");
            const PowerCuts cuts{world.store, at};
            run_with_power_cut(world);
            reached_the_end = !cuts.happened();
            world.restart();
            world.run_to_the_end();
            CHECK(world.status() == scenario.end);
            CHECK(world.effects("1") == scenario.effects);
            CHECK(world.ends("1") == Texts{std::string(to_string(scenario.end))});
            CHECK(world.count("saga_timer") == 0);
            CHECK(world.count("outbox") == 0);
            REQUIRE(at < 200);
        }
    }
}

namespace {

/// Delivers some messages twice, fails for some temporarily, and loses some commands.
class BadTransport final : public Transport {
public:
    BadTransport(Transport& inner, std::mt19937& random) : inner_(inner), random_(random) {}
    Delivery deliver(const Message& message) override {
        const auto draw = random_() % 100;
        const bool command = !message.topic.starts_with("saga.") && message.topic != "orders";
        if (draw < 5 && command) return {};
        if (draw < 15) return {Delivery::Status::failed, "bad luck"};
        if (draw < 30) inner_.deliver(message);
        return inner_.deliver(message);
    }

private:
    Transport& inner_;
    std::mt19937& random_;
};

// Depends on the command's id only, so that a repeated command has the same outcome.
Response random_response(unsigned seed, const Message& command) {
    std::mt19937 random{seed ^ (command.id.bytes()[0] * 65'537U + command.id.bytes()[1] * 257U +
                                command.id.bytes()[2])};
    random.discard(3);
    const auto draw = random() % 100;
    const bool undo = command.is<ReleaseStock>() || command.is<FreeCredit>();
    const bool undoable = command.is<ReserveStock>() || command.is<HoldCredit>();
    if (draw < 15) return Response::busy;
    if (draw < 25 && undoable) return Response::lost_reply;
    if (draw < 35 && undoable) return Response::lost_command;
    if (draw < 50 && !undo && !command.is<Ship>()) return Response::failure;
    return Response::success;
}

std::ptrdiff_t place_of(const Texts& effects, const std::string& effect) {
    return std::ranges::find(effects, effect) - effects.begin();
}

void check_order(const OrderWorld& world, const std::string& order) {
    CAPTURE(order);
    const SagaStatus status = world.status(order);
    const Texts effects = world.effects(order);
    CAPTURE(world.explain(order).text());
    CHECK(has_ended(status));
    CHECK(world.ends(order) == Texts{std::string(to_string(status))});
    for (const char* effect : {"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"})
        CHECK(std::ranges::count(effects, effect) <= 1);
    if (status == SagaStatus::completed) {
        CHECK(effects == Texts{"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"});
        return;
    }
    CHECK(std::ranges::count(effects, "payment.charge") == 0);
    CHECK(std::ranges::count(effects, "shipment.ship") == 0);
    const auto end = static_cast<std::ptrdiff_t>(effects.size());
    const auto freed = place_of(effects, "credit.free");
    const auto released = place_of(effects, "stock.release");
    if (place_of(effects, "credit.hold") < end) CHECK(place_of(effects, "credit.hold") < freed);
    if (place_of(effects, "stock.reserve") < end)
        CHECK(place_of(effects, "stock.reserve") < released);
    CHECK((freed < end ? freed < released : true));
    CHECK((released < end || status == SagaStatus::failed));
}

}  // namespace

TEST_CASE("whatever goes wrong every saga ends and every effect happens once") {
    constexpr int orders = 8;
    for (unsigned seed = 1; seed <= 25; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        OrderWorld world{order_saga({.attempts = 6, .undo_attempts = 30})};
        world.set_responder([&](const Message& command, const std::string&) {
            return random_response(seed, command);
        });
        world.set_wrapper(
            [&](Transport& inner) { return std::make_unique<BadTransport>(inner, random); });
        world.restart();
        bool stormy = true;
        const auto hook = world.store.add_commit_hook([&](Transaction&) {
            if (stormy && random() % 20 == 0) throw PowerCut{};
        });
        for (int i = 0; i < orders; ++i) {
            while (world.store.version("order-" + std::to_string(i)) == Version{0}) {
                try {
                    world.place(std::to_string(i));
                } catch (const PowerCut&) {
                    continue;
                }
            }
            try {
                world.run_for(2s);
            } catch (const PowerCut&) {
                world.restart();
            }
        }
        stormy = false;
        world.run_to_the_end();
        for (int i = 0; i < orders; ++i) check_order(world, std::to_string(i));
        CHECK(world.count("saga_timer") == 0);
        CHECK(world.count("outbox") == 0);
        CHECK(world.count("dead_letter") == 0);
    }
}
