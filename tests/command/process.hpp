#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

// Runs the real programs as a shell would, with the limits and streams that a shell could set.

namespace process {

struct Result {
    int code = -1;   ///< the exit code; -1 if a signal ended the program
    int signal = 0;  ///< the signal that ended it
    std::string out;
    std::string err;
};

struct Options {
    std::string program = DAYBOOK_PROGRAM;
    std::string input{};                     ///< all of stdin
    std::vector<std::string> environment{};  ///< `NAME=value`; only PATH is set besides
    /// Run as `nobody` instead of root, so that the rights of files apply.
    bool as_nobody = false;
    /// The limit on the size of files; SQLite reports it as a full disk.
    std::optional<std::uint64_t> file_bytes_max{};
    /// stderr is a terminal; its output is in `err`.
    bool stderr_is_terminal = false;
    /// The target of stdout: a pipe that is read, or one of these.
    enum class Stdout { read, full_disk, closed_pipe } out = Stdout::read;
};

using Arguments = std::vector<std::string>;

/// A running program. The destructor kills it if it still runs.
class Child {
public:
    explicit Child(const Arguments& arguments, const Options& options = {});
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void send(int signal) const;
    /// Reads stdout up to the end of a line, or to the end of the program.
    std::string read_line();
    /// Closes the reading end of stdout: the program then writes into a pipe without a reader.
    void close_stdout();
    /// Waits for its end. `out` has the output after the last `read_line`.
    Result wait();

private:
    void drain();

    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    std::string out_text_;
    std::string err_text_;
};

/// Runs a program to its end.
Result run(const Arguments& arguments, const Options& options = {});

/// The lines of a text, without the last empty one.
std::vector<std::string> lines(const std::string& text);

}  // namespace process
