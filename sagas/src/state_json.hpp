#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "machine.hpp"

// How a saga's state and its inputs are written down: JSON objects with words for the enums, so
// that a journal can be read by people. An empty part is left out.

namespace daybook::detail {

std::string encode_state(const SagaState& state);
/// Throws CorruptError.
SagaState decode_state(std::string_view json);

std::string encode_input(const SagaInput& input, const SagaState& state);

/// One entry of the journal, as it is stored in an event.
struct JournalEntry {
    SagaStatus status = SagaStatus::running;  ///< after it
    int generation = 1;
    std::string text;
    std::string input;  ///< JSON
    std::string state;  ///< JSON of the whole state after the unit, or empty if more follows in it
};

std::string encode_entry(const JournalEntry& entry);
JournalEntry decode_entry(std::string_view json);

/// What a command carries in its headers, and a reply brings back.
struct CommandHeaders {
    SagaId id;
    int generation = 1;
    std::string hash{};  ///< of the definition that the saga was started with
    std::string step;
    Move move = Move::forward;
    int series = 0;
};

std::string encode_headers(const CommandHeaders& headers);
/// Throws InvalidError if they are not those of a saga's command.
CommandHeaders decode_headers(std::string_view json);
/// The same; nothing in place of an error.
std::optional<CommandHeaders> find_headers(std::string_view json) noexcept;

}  // namespace daybook::detail
