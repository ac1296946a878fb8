#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace scenario {

using Arguments = std::vector<std::string>;

/// The order-fulfilment program at work in a process of its own; killed if it still runs at the
/// end.
class RunningProgram {
public:
    /// Its output goes to the file at `output`; its errors to that at `errors`, or stay those of
    /// the test.
    RunningProgram(const Arguments& arguments, const std::string& output,
                   const std::string& errors = {});
    ~RunningProgram();
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;

    bool is_running();
    /// SIGKILL. False if it had ended by itself.
    bool kill();
    /// Waits for its end; its exit code, or -1 if a signal ended it.
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
