// Measures Daybook against a floor in C; see docs/performance.md.
#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>

#include <unistd.h>

#include "cases.hpp"
#include "instructions.hpp"
#include "report.hpp"
#include "runner.hpp"

namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Interrupted {};

// An interrupt ends the program between two rounds, so that the scratch files are removed.
void show(const std::string& line) {
    if (interrupted != 0) throw Interrupted{};
    if (isatty(STDERR_FILENO) != 0) std::cerr << "\r\033[K" << line << std::flush;
}

std::vector<bench::Measured> measure(const bench::Options& options) {
    bench::Bench scene{options};
    std::vector<bench::Measured> all;
    for (const auto& entry : bench::all_cases()) {
        if (!options.wants(std::string{entry.id})) continue;
        if (entry.needs_postgres() && options.postgres.empty()) {
            std::cerr << entry.id << " is skipped: it needs a server, see --postgres\n";
            continue;
        }
        show(std::string{entry.id} + ": filling the stores");
        const auto comparisons = bench::run(entry.make(scene), show);
        for (const auto& comparison : comparisons)
            if (options.json) bench::print_json(std::cout, comparison);
        all.insert(all.end(), comparisons.begin(), comparisons.end());
    }
    show("");
    return all;
}

void check_ids(const bench::Options& options) {
    for (const auto& id : options.only) {
        const auto known = std::ranges::any_of(bench::all_cases(),
                                               [&](const auto& entry) { return entry.id == id; });
        if (!known) throw std::invalid_argument("there is no case " + id);
    }
}

int run(const bench::Options& options) {
    if (!options.work.empty()) {
        bench::do_counted_work(options);
        return 0;
    }
    if (options.instructions) return bench::count_instructions(options, std::cout) ? 0 : 1;
    if (!options.json) std::cout << bench::surroundings(options.directory.string()) << "\n\n";
    const auto comparisons = measure(options);
    if (!options.json) bench::print_table(std::cout, comparisons);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::signal(SIGTERM, [](int) { interrupted = 1; });
    try {
        const auto options = bench::parse_options(argc, argv);
        check_ids(options);
        if (options.help) {
            std::cout << bench::usage;
            return 0;
        }
        return run(options);
    } catch (const std::invalid_argument& error) {
        std::cerr << "daybook-bench: " << error.what() << "\n" << bench::usage;
        return 2;
    } catch (const Interrupted&) {
        std::cerr << "daybook-bench: interrupted\n";
    } catch (const bench::WrongResult& error) {
        std::cerr << "\ndaybook-bench: WRONG RESULT: " << error.what() << "\n";
    } catch (const std::exception& error) {
        std::cerr << "\ndaybook-bench: " << error.what() << "\n";
    }
    return 1;
}
