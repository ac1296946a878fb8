#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace bench {

struct Options {
    std::filesystem::path directory = ".";
    std::set<std::string> only;  ///< empty: all cases
    std::string postgres{};      ///< a server's URI; empty: no such cases
    bool quick = false;
    bool json = false;
    bool instructions = false;         ///< count instructions in place of measuring time
    std::filesystem::path baseline{};  ///< counts to compare with
    bool record = false;               ///< write `baseline` anew
    std::string work{};                ///< do this counted work here; for --instructions
    bool help = false;

    bool wants(const std::string& id) const { return only.empty() || only.contains(id); }
};

/// Reads the command line. Throws std::invalid_argument with a text for the user.
Options parse_options(int argc, char** argv);

extern const char* const usage;

}  // namespace bench
