#pragma once

#include <string>
#include <vector>

#include "daybook/command/program.hpp"

// The commands that every program has, described in the same way as a program's own.

namespace daybook::command {

/// Commands behind one word: `daybook outbox list`.
struct Group {
    std::string name;
    std::string help;
    std::vector<Subcommand> commands;
};

Subcommand read_command();
Subcommand streams_command();
Subcommand stats_command();
Subcommand migrate_command();
Subcommand mirror_command();
Group outbox_group();
/// These use the program's definitions and limits; it must outlive them.
Subcommand append_command(const Program& program);
Group projection_group(const Program& program);
Group saga_group(const Program& program);
/// What of it is about starts.
std::vector<Subcommand> saga_start_commands(const Program& program);

/// Who acts: `--by`, else the user of this login.
std::string actor_of(const Invocation& invocation);

/// `--reason`, which stays on record. Throws InvalidError if it says nothing.
std::string reason_of(const Invocation& invocation);

/// The option's value, or nothing if it is not given. Throws InvalidError if it is given and empty:
/// a script's variable that is not set must not mean everything.
std::string given_text(const Invocation& invocation, std::string_view option);

/// A number that counts something. Throws InvalidError if it is negative.
std::uint64_t count_of(const Invocation& invocation, std::string_view option);

}  // namespace daybook::command
