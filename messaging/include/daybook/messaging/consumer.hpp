#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include "daybook/eventstore/transaction.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// A consumer's function for a message. Its writes through the transaction commit together with the
/// inbox mark. An exception rolls all of it back and counts as a failed attempt, except
/// InvalidError and CorruptError, which reject the message at once. The handler must write through
/// the transaction: `append` of the store would wait for this same transaction, a deadlock.
using MessageHandler = std::function<void(const Message&, Transaction&)>;

/// Adds handlers to a consumer, one for each type of message. Refers to its transport, which must
/// outlive it.
///
///     transport.consumer("warehouse")
///         .on<ReserveStock>([](const ReserveStock& command, const Message&, Transaction& tx) {…})
///         .on<ReleaseStock>([](const ReleaseStock& command, Transaction& tx) {…});
class Consumer {
public:
    struct Handlers;
    /// Called by a transport; see LocalTransport::consumer.
    explicit Consumer(Handlers& handlers) noexcept : handlers_(handlers) {}

    /// `handle` is called with the decoded message, and with the Message too if it takes one. A
    /// message whose data does not match `M` is parked (CorruptError). Throws InvalidError if this
    /// type, by name and version, has a handler already.
    template <Event M, class Handle>
        requires std::invocable<Handle&, const M&, const Message&, Transaction&> ||
                 std::invocable<Handle&, const M&, Transaction&>
    Consumer& on(Handle handle) {
        add(M::type, [handle = std::move(handle)](const Message& message, Transaction& tx) mutable {
            const M decoded = message.as<M>();
            if constexpr (std::invocable<Handle&, const M&, const Message&, Transaction&>) {
                std::invoke(handle, decoded, message, tx);
            } else {
                std::invoke(handle, decoded, tx);
            }
        });
        return *this;
    }

private:
    void add(const EventType& type, MessageHandler handler);
    Handlers& handlers_;
};

}  // namespace daybook
