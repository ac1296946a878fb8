#pragma once

#include <ostream>

#include "options.hpp"

namespace bench {

/// Does each counted work in a process of its own under valgrind's callgrind, and prints what it
/// executes, in all threads, beside the baseline. False if a count is more than 1 % above its own.
/// Throws std::runtime_error if valgrind cannot be run.
bool count_instructions(const Options& options, std::ostream& out);

/// Does the work that `options` names, between the marks of callgrind. Throws
/// std::invalid_argument if there is none of that name.
void do_counted_work(const Options& options);

}  // namespace bench
