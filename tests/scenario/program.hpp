#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace scenario {

using Arguments = std::vector<std::string>;

/// The order-fulfilment program in a process of its own. The destructor kills it if it still runs.
class RunningProgram {
public:
    /// stdout goes to the file at `output`; stderr to the file at `errors`, or to that of the test.
    RunningProgram(const Arguments& arguments, const std::string& output,
                   const std::string& errors = {});
    ~RunningProgram();
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;

    bool is_running();
    /// Sends SIGKILL. False if it had ended by itself.
    bool kill();
    /// Waits for its end. Returns its exit code, or -1 if a signal ended it.
    int wait();

private:
    void ended(int status);

    pid_t pid_ = -1;
    bool running_ = true;
    int code_ = -1;
};

std::string text_of_file(const std::string& path);

/// Runs it to its end and returns what it printed. Throws std::runtime_error if it failed.
std::string run_program(const Arguments& arguments);

}  // namespace scenario
