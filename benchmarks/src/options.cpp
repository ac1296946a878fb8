#include "options.hpp"

#include <sstream>
#include <stdexcept>
#include <string_view>

namespace bench {

const char* const usage =
    "usage: daybook-bench [--quick] [--only S1,S4] [--dir DIR] [--postgres URI] [--json]\n"
    "       daybook-bench --instructions [--baseline FILE [--record]] [--dir DIR]\n"
    "\n"
    "Compares Daybook with the same work in C on the same engine, alternately, in one run.\n"
    "\n"
    "  --quick       small logs and few rounds: to see that it works, not to quote\n"
    "  --only LIST   these cases, separated by commas\n"
    "  --dir DIR     where the scratch files go (default: here); must be a disk, not memory\n"
    "  --postgres URI  the server for the P cases; without it they are skipped. Their schemas,\n"
    "                  daybook-bench-..., are removed at the end\n"
    "  --json        one object a line in place of the table\n"
    "\n"
    "  --instructions   counts what each piece of work executes, under valgrind, in place of\n"
    "                   measuring time\n"
    "  --baseline FILE  earlier counts; a count more than 1 % above them exits with 1\n"
    "  --record         writes the baseline\n";

Options parse_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument{argv[i]};
        const auto value = [&]() -> std::string {
            if (i + 1 == argc)
                throw std::invalid_argument(std::string{argument} + " needs a value");
            return argv[++i];
        };
        if (argument == "--quick") {
            options.quick = true;
        } else if (argument == "--json") {
            options.json = true;
        } else if (argument == "--instructions") {
            options.instructions = true;
        } else if (argument == "--baseline") {
            options.baseline = value();
        } else if (argument == "--record") {
            options.record = true;
        } else if (argument == "--work") {
            options.work = value();
        } else if (argument == "--help" || argument == "-h") {
            options.help = true;
        } else if (argument == "--dir") {
            options.directory = value();
        } else if (argument == "--postgres") {
            options.postgres = value();
        } else if (argument == "--only") {
            std::istringstream list{value()};
            for (std::string id; std::getline(list, id, ',');) options.only.insert(id);
        } else {
            throw std::invalid_argument("unknown argument " + std::string{argument});
        }
    }
    return options;
}

}  // namespace bench
