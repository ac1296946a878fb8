#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "machine.hpp"

// The JSON forms of a saga's state, inputs, journal entries and command headers. Enums are stored
// by name and empty fields are left out, so that people can read a journal.

namespace daybook::detail {

std::string encode_state(const SagaState& state);
/// Throws CorruptError.
SagaState decode_state(std::string_view json);

std::string encode_input(const SagaInput& input, const SagaState& state);

/// One entry of the journal, as it is stored in an event.
struct JournalEntry {
    SagaStatus status = SagaStatus::running;  ///< after the input
    int generation = 1;
    std::string text;
    std::string input;  ///< JSON
    std::string state;  ///< JSON of the whole state; empty unless it is the last of its transaction
};

std::string encode_entry(const JournalEntry& entry);
/// All but the state, which is left empty. Throws CorruptError.
JournalEntry decode_entry(std::string_view json);
/// Only the state; nothing if the entry has none. Throws CorruptError.
std::optional<SagaState> decode_entry_state(std::string_view json);

/// The headers of a command, which the participant copies into its reply.
struct CommandHeaders {
    SagaId id;
    int generation = 1;
    std::string hash{};  ///< of the definition that the saga was started with
    std::string step;
    CommandKind kind = CommandKind::forward;
    int command_number = 0;
};

std::string encode_headers(const CommandHeaders& headers);
/// Throws InvalidError if these are not the headers of a saga's command.
CommandHeaders decode_headers(std::string_view json);
/// The same, but returns nothing instead of throwing.
std::optional<CommandHeaders> find_headers(std::string_view json) noexcept;

}  // namespace daybook::detail
