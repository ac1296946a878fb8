#include "daybook/messaging/local_transport.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "failure.hpp"

namespace daybook {

using TypeAndVersion = std::pair<std::string, int>;

/// One consumer: constant but for the handlers, which are under the mutex.
struct Consumer::Handlers {
    std::string topic;
    std::string name;
    ConsumerOptions::Unknown unknown = ConsumerOptions::Unknown::reject;
    MessageHandler takes_all{};  ///< if given, instead of `by_type`

    mutable std::shared_mutex mutex{};
    std::map<TypeAndVersion, MessageHandler> by_type{};

    /// Nothing: the message is to be ignored. Handlers are never removed.
    const MessageHandler* find(const Message& message) const {
        if (takes_all) return &takes_all;
        const std::shared_lock lock{mutex};
        const auto found = by_type.find({message.type, message.schema_version});
        if (found != by_type.end()) return &found->second;
        if (unknown == ConsumerOptions::Unknown::ignore) return nullptr;
        throw InvalidError("consumer '" + name + "' of topic '" + topic + "' has no handler for '" +
                           message.type + "' version " + std::to_string(message.schema_version) +
                           ": add one, then replay message " + message.id.to_string());
    }
};

void Consumer::add(const EventType& type, MessageHandler handler) {
    const std::unique_lock lock{handlers_.mutex};
    const bool added =
        handlers_.by_type.try_emplace(TypeAndVersion{type.name, type.version}, std::move(handler))
            .second;
    if (!added) {
        throw InvalidError("consumer '" + handlers_.name + "' of topic '" + handlers_.topic +
                           "' has a handler for '" + std::string(type.name) + "' version " +
                           std::to_string(type.version) + " already");
    }
}

struct LocalTransport::State {
    using Handlers = Consumer::Handlers;

    EventStore store;

    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::uint64_t> duplicates{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> rejected{0};

    std::shared_mutex mutex{};
    std::map<std::string, std::vector<std::shared_ptr<Handlers>>, std::less<>> by_topic{};

    explicit State(EventStore opened) : store(std::move(opened)) {}

    Handlers& add(std::string_view topic, std::string_view name, ConsumerOptions::Unknown unknown,
                  MessageHandler takes_all);
    std::vector<std::shared_ptr<Handlers>> consumers_of(std::string_view topic);
    Delivery deliver(const Message& message, const Handlers& consumer);
    void count(const Delivery& delivery);
};

LocalTransport::State::Handlers& LocalTransport::State::add(std::string_view topic,
                                                            std::string_view name,
                                                            ConsumerOptions::Unknown unknown,
                                                            MessageHandler takes_all) {
    if (topic.empty() || name.empty()) {
        throw InvalidError("a consumer ('" + std::string(name) + "' of topic '" +
                           std::string(topic) + "') needs a name and a topic");
    }
    const std::unique_lock lock{mutex};
    auto& consumers = by_topic[std::string(topic)];
    for (const auto& other : consumers) {
        if (other->name != name) continue;
        throw InvalidError("topic '" + other->topic + "' has a consumer '" + other->name +
                           "' already: two would share one inbox");
    }
    auto added = std::make_shared<Handlers>();
    added->topic = topic;
    added->name = name;
    added->unknown = unknown;
    added->takes_all = std::move(takes_all);
    return *consumers.emplace_back(std::move(added));
}

std::vector<std::shared_ptr<Consumer::Handlers>> LocalTransport::State::consumers_of(
    std::string_view topic) {
    const std::shared_lock lock{mutex};
    const auto found = by_topic.find(topic);
    if (found == by_topic.end()) return {};
    return found->second;
}

Delivery LocalTransport::State::deliver(const Message& message, const Handlers& consumer) {
    try {
        const MessageHandler* handler = consumer.find(message);
        if (!handler) return {};
        bool first_time = false;
        store.transact(
            [&](Transaction& tx) {
                first_time = tx.mark_handled(consumer.name, message.id);
                if (first_time) (*handler)(message, tx);
            },
            message.follow_up());
        ++(first_time ? handled : duplicates);
        return {};
    } catch (...) {
        return detail::delivery_after(std::current_exception(), consumer.name);
    }
}

void LocalTransport::State::count(const Delivery& delivery) {
    if (delivery.status == Delivery::Status::failed) ++failed;
    if (delivery.status == Delivery::Status::rejected) ++rejected;
}

namespace {

// With several consumers: as long as one may still succeed later, the message has to come again;
// only then is it told that another one has refused it.
bool outweighs(Delivery::Status a, Delivery::Status b) noexcept {
    const auto weight = [](Delivery::Status status) {
        switch (status) {
            case Delivery::Status::delivered: return 0;
            case Delivery::Status::rejected: return 1;
            case Delivery::Status::failed: return 2;
            case Delivery::Status::down: return 3;
        }
        return 0;
    };
    return weight(a) > weight(b);
}

}  // namespace

LocalTransport::LocalTransport(EventStore store)
    : state_(std::make_unique<State>(std::move(store))) {}
LocalTransport::~LocalTransport() = default;

Consumer LocalTransport::consumer(std::string_view name, ConsumerOptions options) {
    const std::string_view topic = options.topic.empty() ? name : options.topic;
    return Consumer{state_->add(topic, name, options.unknown, {})};
}

void LocalTransport::consume(std::string_view topic, std::string_view consumer,
                             MessageHandler handler) {
    if (!handler) {
        throw InvalidError("consumer '" + std::string(consumer) + "' of topic '" +
                           std::string(topic) + "' needs a handler");
    }
    state_->add(topic, consumer, ConsumerOptions::Unknown::reject, std::move(handler));
}

Delivery LocalTransport::deliver(const Message& message) {
    Delivery worst;
    if (message.id.is_nil()) {
        worst = {Delivery::Status::rejected,
                 "a message on topic '" + message.topic +
                     "' has no id: without one its effect cannot be kept from happening twice"};
    }
    const auto consumers = state_->consumers_of(message.topic);
    if (consumers.empty()) {
        worst = {Delivery::Status::rejected, "no consumer for topic '" + message.topic +
                                                 "': register one, then replay message " +
                                                 message.id.to_string()};
    }
    if (worst.status == Delivery::Status::rejected) {
        state_->count(worst);
        return worst;
    }
    for (const auto& consumer : consumers) {
        Delivery delivery = state_->deliver(message, *consumer);
        state_->count(delivery);
        if (outweighs(delivery.status, worst.status)) worst = std::move(delivery);
    }
    return worst;
}

LocalTransportCounts LocalTransport::counts() const {
    return {state_->handled, state_->duplicates, state_->failed, state_->rejected};
}

}  // namespace daybook
