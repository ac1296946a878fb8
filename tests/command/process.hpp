#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

// Runs the real programs as a shell would, and under conditions that a shell could set.

namespace process {

struct Result {
    int code = -1;   ///< of the exit; -1 if a signal ended it
    int signal = 0;  ///< that ended it
    std::string out;
    std::string err;
};

struct Options {
    std::string program = DAYBOOK_PROGRAM;
    std::string input{};                     ///< all of stdin
    std::vector<std::string> environment{};  ///< `NAME=value`; there is nothing else but PATH
    /// Give up the rights of root, so that those on files count.
    bool as_nobody = false;
    /// No file can grow beyond: to SQLite like a full disk.
    std::optional<std::uint64_t> file_bytes_max{};
    /// stderr is a terminal; what it shows is in `err`.
    bool stderr_is_terminal = false;
    /// Where stdout goes, in place of a pipe that is read.
    enum class Stdout { read, full_disk, reader_left } out = Stdout::read;
};

using Arguments = std::vector<std::string>;

/// A program that is running. Killed, if it still runs at the end.
class Child {
public:
    explicit Child(const Arguments& arguments, const Options& options = {});
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void send(int signal) const;
    /// What it writes to stdout up to the end of a line; less when it ends before.
    std::string read_line();
    /// Reads no more: what it writes from now on goes into a pipe without a reader.
    void leave();
    /// Waits for its end. `out` has what `read_line` has left.
    Result wait();

private:
    void drain();

    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    std::string out_text_;
    std::string err_text_;
};

/// Runs it to its end.
Result run(const Arguments& arguments, const Options& options = {});

/// The lines of a text, without the last empty one.
std::vector<std::string> lines(const std::string& text);

}  // namespace process
