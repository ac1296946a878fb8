#pragma once

#include "daybook/messaging/dead_letters.hpp"
#include "daybook/messaging/outbox.hpp"
#include "json_text.hpp"

// The keys under which scripts see messages.

namespace daybook::command {

Json outbox_json(const OutboxStatus& status);
Json waiting_json(const WaitingMessage& waiting);
Json dead_letter_json(const DeadLetter& letter);

}  // namespace daybook::command
