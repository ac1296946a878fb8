#pragma once

#include <optional>

#include "daybook/eventstore/transaction.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// Replies to `message` in the transaction that handles it: publishes `answer` to its `reply_to`,
/// with its key and its unchanged headers, by which the sender finds the command that this answers.
/// Returns the id of the reply; nothing if the message has no `reply_to`.
///
///     transport.consumer("warehouse").on<ReserveStock>(
///         [](const ReserveStock& command, const Message& message, Transaction& tx) {
///             reply(tx, message, StockReserved{command.order});
///         });
template <Event Answer>
std::optional<EventId> reply(Transaction& tx, const Message& message, const Answer& answer) {
    if (message.reply_to.empty()) return std::nullopt;
    PublishOptions options;
    options.key = message.key;
    options.headers = message.headers;
    return tx.publish(message.reply_to, answer, std::move(options));
}

}  // namespace daybook
