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

/// A number that counts something. Throws InvalidError if it is negative.
std::uint64_t count_of(const Invocation& invocation, std::string_view option);

}  // namespace daybook::command
