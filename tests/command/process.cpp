#include "process.hpp"

#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace process {

namespace {

constexpr uid_t nobody = 65534;

void check(bool fine, const char* what) {
    if (!fine) throw std::system_error(errno, std::generic_category(), what);
}

struct Pipe {
    Pipe() {
        int ends[2];
        check(::pipe2(ends, O_CLOEXEC) == 0, "pipe2");
        read = ends[0];
        write = ends[1];
    }
    int read;
    int write;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

// In the child, between fork and exec: nothing here may allocate or throw.
bool prepare(const Options& options) {
    if (options.file_bytes_max) {
        const rlimit limit{*options.file_bytes_max, *options.file_bytes_max};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
        // An ignored signal stays ignored by the program: writes fail instead.
        ::signal(SIGXFSZ, SIG_IGN);
    }
    if (options.as_nobody && ::geteuid() == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) {
            return false;
        }
    }
    return true;
}

// Writes all of the input; the child may end without reading all of it.
void feed(int end, const std::string& input) {
    struct sigaction ignore{};
    struct sigaction before{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before);
    for (std::size_t at = 0; at < input.size();) {
        const auto written = ::write(end, input.data() + at, input.size() - at);
        if (written <= 0) break;
        at += static_cast<std::size_t>(written);
    }
    ::close(end);
    ::sigaction(SIGPIPE, &before, nullptr);
}

/// Appends what can be read; false at the end.
bool append_from(int end, std::string& text) {
    char buffer[4096];
    const auto got = ::read(end, buffer, sizeof buffer);
    // A terminal whose other side is closed reports an error instead of its end.
    if (got <= 0) return got < 0 && errno == EINTR;
    text.append(buffer, static_cast<std::size_t>(got));
    return true;
}

}  // namespace

Child::Child(const Arguments& arguments, const Options& options) {
    std::vector<std::string> words{options.program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> environment = options.environment;
    environment.emplace_back("PATH=/usr/bin:/bin");
    const auto argv = pointers(words);
    const auto envp = pointers(environment);

    // The program is opened before the switch to `nobody`, who may not be allowed to enter its
    // folder.
    const int program = ::open(options.program.c_str(), O_RDONLY | O_CLOEXEC);
    check(program >= 0, options.program.c_str());
    const Pipe in;
    Pipe out;
    Pipe err;
    if (options.stderr_is_terminal) {
        ::close(err.read);
        ::close(err.write);
        check(::openpty(&err.read, &err.write, nullptr, nullptr, nullptr) == 0, "openpty");
        ::fcntl(err.read, F_SETFD, FD_CLOEXEC);
        ::fcntl(err.write, F_SETFD, FD_CLOEXEC);
    }
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    check(full >= 0, "/dev/full");
    if (options.out == Options::Stdout::closed_pipe) ::close(std::exchange(out.read, -1));
    pid_ = ::fork();
    check(pid_ >= 0, "fork");
    if (pid_ == 0) {
        ::dup2(in.read, STDIN_FILENO);
        ::dup2(options.out == Options::Stdout::full_disk ? full : out.write, STDOUT_FILENO);
        ::dup2(err.write, STDERR_FILENO);
        if (prepare(options)) ::fexecve(program, argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(program);
    ::close(full);
    ::close(in.read);
    ::close(out.write);
    ::close(err.write);
    out_ = out.read;
    err_ = err.read;
    feed(in.write, options.input);
}

Child::~Child() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (out_ >= 0) ::close(out_);
    if (err_ >= 0) ::close(err_);
}

void Child::send(int signal) const { check(::kill(pid_, signal) == 0, "kill"); }

std::string Child::read_line() {
    while (out_text_.find('\n') == std::string::npos) {
        if (!append_from(out_, out_text_)) break;
    }
    const auto end = out_text_.find('\n');
    if (end == std::string::npos) return std::exchange(out_text_, {});
    std::string line = out_text_.substr(0, end);
    out_text_.erase(0, end + 1);
    return line;
}

void Child::close_stdout() { ::close(std::exchange(out_, -1)); }

void Child::drain() {
    pollfd ends[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (::poll(ends, 2, -1) < 0) continue;
        if (ends[0].revents != 0 && !append_from(out_, out_text_)) ends[0].fd = -1;
        if (ends[1].revents != 0 && !append_from(err_, err_text_)) ends[1].fd = -1;
    }
}

Result Child::wait() {
    drain();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) check(errno == EINTR, "waitpid");
    pid_ = -1;
    Result result{-1, 0, std::move(out_text_), std::move(err_text_)};
    if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    return result;
}

Result run(const Arguments& arguments, const Options& options) {
    Child child{arguments, options};
    return child.wait();
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
}

}  // namespace process
