#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace daybook::command {

/// Turns SIGINT and SIGTERM into a stop request for as long as it lives. The second one of a kind
/// does what it always did. One at a time in a process.
class StopSignal {
public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    std::stop_token token() const noexcept { return source_.get_token(); }

private:
    std::stop_source source_;
    int read_end_ = -1;
    int write_end_ = -1;
    struct sigaction interrupt_before_{};
    struct sigaction terminate_before_{};
    std::thread waiter_;
};

}  // namespace daybook::command
