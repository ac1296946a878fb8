#include "instructions.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef BENCH_HAS_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

#include "counted_work.hpp"
#include "report.hpp"
#include "scratch.hpp"

namespace bench {

namespace {

constexpr double growth_max = 1.01;
constexpr int runs = 3;

/// Instructions per unit of work, by the name of the work.
using Counts = std::map<std::string, std::uint64_t, std::less<>>;

/// Runs a command found in PATH. Throws std::runtime_error unless it ends with 0.
void run_command(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
        throw std::runtime_error(words.front() + " cannot be run; is it installed?");
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error(words.front() + " failed");
}

/// The total of all threads in callgrind's file.
std::uint64_t total_of(const std::string& path) {
    constexpr std::string_view label = "totals: ";
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(label)) return std::stoull(line.substr(label.size()));
    throw std::runtime_error("callgrind has counted nothing");
}

std::uint64_t count_once(const CountedWork& work, const Options& options) {
    const Scratch scratch{options.directory};
    const std::string counted = scratch.file("callgrind.out");
    run_command({"valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                 "--callgrind-out-file=" + counted,
                 std::filesystem::read_symlink("/proc/self/exe").string(), "--dir",
                 options.directory.string(), "--work", std::string{work.name}});
    const std::uint64_t total = total_of(counted);
    if (total == 0) throw std::runtime_error("built without the headers of valgrind");
    return total / work.times;
}

/// The smallest count of several runs: other load on the machine makes threads wait and poll again,
/// which only adds instructions.
std::uint64_t count(const CountedWork& work, const Options& options) {
    std::uint64_t least = count_once(work, options);
    for (int run = 1; run < runs; ++run) least = std::min(least, count_once(work, options));
    return least;
}

// A line of a baseline is a count and the name of a work; one with `#` tells of the machine.
Counts read_baseline(const std::filesystem::path& path) {
    Counts counts;
    std::ifstream file{path};
    while (file) {
        if (file.peek() == '#') {
            file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
            continue;
        }
        std::uint64_t value = 0;
        std::string name;
        if (file >> value && std::getline(file >> std::ws, name)) counts[name] = value;
    }
    return counts;
}

void write_baseline(const Options& options, const Counts& counts) {
    std::ofstream file{options.baseline};
    file << "# " << surroundings(options.directory.string()) << '\n';
    for (const CountedWork& work : all_counted_works())
        file << counts.find(work.name)->second << ' ' << work.name << '\n';
    if (!file.flush()) throw std::runtime_error(options.baseline.string() + " cannot be written");
}

}  // namespace

bool count_instructions(const Options& options, std::ostream& out) {
    const Counts before = read_baseline(options.baseline);
    Counts counts;
    bool all_good = true;
    out << std::left << std::setw(29) << "work" << std::right << std::setw(14) << "instructions"
        << "  for one    " << std::setw(12) << "baseline" << std::setw(8) << "ratio" << '\n';
    for (const CountedWork& work : all_counted_works()) {
        const std::uint64_t value = count(work, options);
        counts.emplace(work.name, value);
        out << std::left << std::setw(29) << work.name << std::right << std::setw(14) << value
            << "  " << std::left << std::setw(11) << work.unit << std::right;
        if (const auto baseline = before.find(work.name); baseline != before.end()) {
            const double ratio = static_cast<double>(value) / static_cast<double>(baseline->second);
            all_good = all_good && ratio <= growth_max;
            out << std::setw(12) << baseline->second << std::setw(8) << std::fixed
                << std::setprecision(3) << ratio << (ratio > growth_max ? "  above" : "");
        }
        out << '\n' << std::flush;
    }
    if (options.record) write_baseline(options, counts);
    return all_good || options.record;
}

void do_counted_work(const Options& options) {
    const auto works = all_counted_works();
    const auto work = std::ranges::find(works, options.work, &CountedWork::name);
    if (work == works.end()) throw std::invalid_argument("there is no work " + options.work);
    const Scratch scratch{options.directory};
    const auto action = work->prepare(scratch, work->times);
    CALLGRIND_START_INSTRUMENTATION;
    action();
    CALLGRIND_STOP_INSTRUMENTATION;
}

}  // namespace bench
