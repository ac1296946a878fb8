#include "daybook/messaging/local_transport.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "daybook/core/mutex.hpp"
#include "failure.hpp"
#include "names.hpp"

namespace daybook {

using TypeAndVersion = std::pair<std::string, int>;

/// One consumer. Constant after construction, except `by_type`.
struct Consumer::Handlers {
    std::string topic;
    std::string name;
    std::string inbox;
    ConsumerOptions::Unknown unknown = ConsumerOptions::Unknown::leave;
    MessageHandler handles_all{};  ///< if set, used instead of `by_type`
    std::function<bool(const Message&)> takes{};

    mutable SharedMutex mutex{};
    std::map<TypeAndVersion, MessageHandler> by_type DAYBOOK_GUARDED_BY(mutex){};

    /// Null if there is no handler for this message. Valid as long as the consumer: handlers are
    /// never removed.
    const MessageHandler* find(const Message& message) const {
        if (handles_all) return !takes || takes(message) ? &handles_all : nullptr;
        const SharedMutexReadLock lock{mutex};
        const auto found = by_type.find({message.type, message.schema_version});
        return found == by_type.end() ? nullptr : &found->second;
    }
    bool ignores_unknown() const noexcept { return unknown == ConsumerOptions::Unknown::ignore; }
    Delivery without_handler(const Message& message) const {
        if (ignores_unknown()) return {};
        return {Delivery::Status::unhandled,
                "consumer '" + name + "' of topic '" + topic + "' has no handler for '" +
                    message.type + "' version " + std::to_string(message.schema_version) +
                    ": start a program that has one",
                name};
    }
};

namespace {

/// Unique, because a topic contains no white space: no consumer with the name of its topic can have
/// the same inbox as one of another name.
std::string inbox_of(std::string_view topic, std::string_view name) {
    return topic == name ? std::string(name) : std::string(topic) + ' ' + std::string(name);
}

}  // namespace

void Consumer::add(const EventType& type, MessageHandler handler) {
    const SharedMutexLock lock{handlers_.mutex};
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
    std::atomic<std::uint64_t> unhandled{0};

    SharedMutex mutex{};
    std::map<std::string, std::vector<std::shared_ptr<Handlers>>, std::less<>> by_topic
        DAYBOOK_GUARDED_BY(mutex){};

    explicit State(EventStore opened) : store(std::move(opened)) {}

    Handlers& add(std::shared_ptr<Handlers> added);
    std::vector<std::shared_ptr<Handlers>> consumers_of(std::string_view topic);
    Delivery deliver(const Message& message, const Handlers& consumer);
    void count(const Delivery& delivery);
};

LocalTransport::State::Handlers& LocalTransport::State::add(std::shared_ptr<Handlers> added) {
    detail::require_name("a consumer's topic", added->topic);
    detail::require_name("a consumer's name", added->name);
    added->inbox = inbox_of(added->topic, added->name);
    const SharedMutexLock lock{mutex};
    auto& consumers = by_topic[added->topic];
    for (const auto& other : consumers) {
        if (other->name != added->name) continue;
        throw InvalidError("topic '" + other->topic + "' has a consumer '" + other->name +
                           "' already: two would share one inbox");
    }
    return *consumers.emplace_back(std::move(added));
}

std::vector<std::shared_ptr<Consumer::Handlers>> LocalTransport::State::consumers_of(
    std::string_view topic) {
    const SharedMutexReadLock lock{mutex};
    const auto found = by_topic.find(topic);
    if (found == by_topic.end()) return {};
    return found->second;
}

Delivery LocalTransport::State::deliver(const Message& message, const Handlers& consumer) {
    bool marked = false;
    try {
        const MessageHandler* handler = consumer.find(message);
        if (!handler) return consumer.without_handler(message);
        bool first_time = false;
        store.transact(
            [&](Transaction& tx) {
                first_time =
                    tx.mark_handled(consumer.inbox, message.id, detail::content_hash(message));
                marked = true;
                if (first_time) (*handler)(message, tx);
            },
            message.follow_up());
        ++(first_time ? handled : duplicates);
        return {};
    } catch (...) {
        // A failed commit counts as a failure of the handler. If the store caused it, the relay
        // cannot record the attempt either, so the message loses none.
        return marked ? detail::delivery_after(std::current_exception(), consumer.name)
                      : detail::delivery_without_store(std::current_exception(), consumer.name);
    }
}

void LocalTransport::State::count(const Delivery& delivery) {
    if (delivery.status == Delivery::Status::failed) ++failed;
    if (delivery.status == Delivery::Status::rejected) ++rejected;
    if (delivery.status == Delivery::Status::unhandled) ++unhandled;
}

namespace {

// The outcome for several consumers. As long as one of them may succeed later, the message has to
// be delivered again, so `failed` outweighs the rejection by another consumer.
bool outweighs(Delivery::Status a, Delivery::Status b) noexcept {
    const auto weight = [](Delivery::Status status) {
        switch (status) {
            case Delivery::Status::delivered: return 0;
            case Delivery::Status::rejected: return 1;
            case Delivery::Status::unhandled: return 2;
            case Delivery::Status::failed: return 3;
            case Delivery::Status::down: return 4;
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
    auto handlers = std::make_shared<Consumer::Handlers>();
    handlers->topic = topic;
    handlers->name = name;
    handlers->unknown = options.unknown;
    return Consumer{state_->add(std::move(handlers))};
}

void LocalTransport::consume(std::string_view topic, std::string_view consumer,
                             MessageHandler handler, std::function<bool(const Message&)> takes) {
    if (!handler) {
        throw InvalidError("consumer '" + std::string(consumer) + "' of topic '" +
                           std::string(topic) + "' needs a handler");
    }
    auto handlers = std::make_shared<Consumer::Handlers>();
    handlers->topic = topic;
    handlers->name = consumer;
    handlers->handles_all = std::move(handler);
    handlers->takes = std::move(takes);
    state_->add(std::move(handlers));
}

Delivery LocalTransport::deliver(const Message& message) {
    Delivery worst;
    if (message.id.is_nil()) {
        worst = {Delivery::Status::rejected,
                 "a message on topic '" + message.topic +
                     "' has no id: without one its effect cannot be kept from happening twice"};
    }
    const auto consumers = state_->consumers_of(message.topic);
    if (consumers.empty() && worst.status == Delivery::Status::delivered) {
        worst = {Delivery::Status::unhandled,
                 "no consumer for topic '" + message.topic + "': start a program that has one"};
    }
    if (worst.status != Delivery::Status::delivered) {
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

bool LocalTransport::takes(const Message& envelope) const {
    const auto consumers = state_->consumers_of(envelope.topic);
    return !consumers.empty() && std::ranges::all_of(consumers, [&](const auto& consumer) {
        return consumer->ignores_unknown() || consumer->find(envelope) != nullptr;
    });
}

LocalTransportCounts LocalTransport::counts() const {
    return {state_->handled, state_->duplicates, state_->failed, state_->rejected,
            state_->unhandled};
}

}  // namespace daybook
