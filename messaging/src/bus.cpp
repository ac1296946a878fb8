#include "daybook/messaging/bus.hpp"

#include <exception>

#include <boost/signals2.hpp>

#include "daybook/core/clock.hpp"
#include "topic_pattern.hpp"

namespace daybook {

struct Bus::State {
    struct Published {
        std::size_t subscribers = 0;
        std::exception_ptr first_error{};
    };

    /// Calls every slot, even after another slot has thrown.
    struct CallAll {
        using result_type = Published;

        template <class Slot>
        Published operator()(Slot slot, Slot end) const {
            Published published;
            for (; slot != end; ++slot) {
                try {
                    if (*slot) ++published.subscribers;
                } catch (...) {
                    ++published.subscribers;
                    if (!published.first_error) published.first_error = std::current_exception();
                }
            }
            return published;
        }
    };

    /// A slot returns whether the message matched its pattern.
    boost::signals2::signal<bool(const Message&), CallAll> signal;
};

struct BusConnection::State {
    boost::signals2::scoped_connection connection;
};

BusConnection::BusConnection() noexcept = default;
BusConnection::BusConnection(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
BusConnection::~BusConnection() = default;
BusConnection::BusConnection(BusConnection&&) noexcept = default;
BusConnection& BusConnection::operator=(BusConnection&&) noexcept = default;

void BusConnection::disconnect() noexcept { state_.reset(); }

bool BusConnection::connected() const noexcept { return state_ && state_->connection.connected(); }

Bus::Bus() : state_(std::make_unique<State>()) {}
Bus::~Bus() = default;

BusConnection Bus::subscribe(std::string_view pattern, Handler handler) {
    auto subscription = std::make_unique<BusConnection::State>();
    subscription->connection = state_->signal.connect(
        [topics = detail::TopicPattern(pattern), handle = std::move(handler)](const Message& m) {
            if (!topics.matches(m.topic)) return false;
            handle(m);
            return true;
        });
    return BusConnection{std::move(subscription)};
}

std::size_t Bus::publish(const Message& message) const {
    const State::Published published = state_->signal(message);
    if (published.first_error) std::rethrow_exception(published.first_error);
    return published.subscribers;
}

Message Bus::envelope(std::string_view topic, const EventType& type) {
    Message message;
    message.id = EventId::generate();
    message.topic = topic;
    message.type = type.name;
    message.schema_version = type.version;
    message.created_at = message.due_at = SystemClock::instance().now();
    return message;
}

}  // namespace daybook
