#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include "daybook/eventstore/transaction.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// What a consumer does with a message. All that it does through the transaction commits together
/// with the inbox mark; what it throws rolls everything back and counts as a failed attempt, except
/// InvalidError and CorruptError, which reject the message at once. Writes go through the
/// transaction only: the store's own `append` would wait for this very unit.
using MessageHandler = std::function<void(const Message&, Transaction&)>;

/// Gives a consumer its handlers, one for each type of message. A handle into the transport that
/// made it, not to be used after it.
///
///     transport.consumer("warehouse")
///         .on<ReserveStock>([](const ReserveStock& command, const Message&, Transaction& tx) {…})
///         .on<ReleaseStock>([](const ReleaseStock& command, Transaction& tx) {…});
class Consumer {
public:
    struct Handlers;
    /// Made by a transport; a program receives one.
    explicit Consumer(Handlers& handlers) noexcept : handlers_(handlers) {}

    /// `handle` is called with the decoded message; with the Message too, if it takes one. Data
    /// that does not fit is CorruptError, hence parked. Throws InvalidError if this type (its name
    /// and version) has a handler already.
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
