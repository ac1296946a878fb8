#include "stop_signal.hpp"

#include <atomic>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace daybook::command {

namespace {

// All that a signal handler may do is to write a byte; a thread at the other end does the rest.
std::atomic<int> pipe_to_waiter{-1};

extern "C" void daybook_command_on_signal(int) {
    const int before = errno;
    const char byte = 0;
    [[maybe_unused]] const auto written = ::write(pipe_to_waiter.load(), &byte, 1);
    errno = before;
}

}  // namespace

StopSignal::StopSignal() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "a pipe for signals");
    }
    read_end_ = ends[0];
    write_end_ = ends[1];
    pipe_to_waiter = write_end_;
    waiter_ = std::thread([this] {
        char byte;
        ssize_t got = 0;
        while ((got = ::read(read_end_, &byte, 1)) < 0 && errno == EINTR) continue;
        if (got == 1) source_.request_stop();
    });

    struct sigaction action{};
    action.sa_handler = daybook_command_on_signal;
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    ::sigaction(SIGINT, &action, &interrupt_before_);
    ::sigaction(SIGTERM, &action, &terminate_before_);
}

StopSignal::~StopSignal() {
    ::sigaction(SIGINT, &interrupt_before_, nullptr);
    ::sigaction(SIGTERM, &terminate_before_, nullptr);
    pipe_to_waiter = -1;
    ::close(write_end_);
    waiter_.join();
    ::close(read_end_);
}

}  // namespace daybook::command
