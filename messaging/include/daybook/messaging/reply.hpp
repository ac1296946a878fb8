#pragma once

#include <optional>

#include "daybook/eventstore/transaction.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// Answers `message` in the unit that handles it: publishes `answer` to its `reply_to` with the
/// same key, and hands its headers back unchanged, so that the sender knows which question this
/// answers. Returns the answer's id; nothing if no answer was wanted.
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
