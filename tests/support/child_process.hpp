#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace daybook::test {

/// A forked child that reports whole numbers to its parent through a pipe. What it has reported
/// before it is killed counts as acknowledged. Fork before the parent has threads.
class ChildProcess {
public:
    using Report = std::function<void(std::uint64_t)>;

    explicit ChildProcess(const std::function<void(const Report&)>& work) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        pid_ = ::fork();
        if (pid_ < 0) throw std::runtime_error("no child");
        if (pid_ == 0) {
            ::close(ends[0]);
            run(work, ends[1]);
        }
        ::close(ends[1]);
        pipe_ = ends[0];
    }
    ~ChildProcess() {
        if (!ended_) kill();
        ::close(pipe_);
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// SIGKILL, and waits until the child is gone.
    void kill() {
        ::kill(pid_, SIGKILL);
        wait();
    }
    /// Waits until the child ends by itself. Returns its exit code, or -1 if a signal ended it.
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
        ended_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    /// Waits for `count` reports that `reports` has not returned yet. False after `timeout`, or if
    /// the child ends before.
    bool wait_for_reports(std::size_t count, std::chrono::milliseconds timeout) const {
        const auto deadline = std::chrono::steady_clock::now() + timeout;
        const auto has_ended = [this] {
            pollfd end{.fd = pipe_, .events = 0, .revents = 0};
            return ::poll(&end, 1, 0) > 0;
        };
        const auto has_arrived = [&] {
            int bytes = 0;
            ::ioctl(pipe_, FIONREAD, &bytes);
            return static_cast<std::size_t>(bytes) >= count * sizeof(std::uint64_t);
        };
        while (!has_arrived()) {
            if (has_ended() || std::chrono::steady_clock::now() >= deadline) return has_arrived();
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
        return true;
    }
    /// The reports that were not returned yet. Call it after the child has ended.
    std::vector<std::uint64_t> reports() {
        std::vector<std::uint64_t> numbers;
        std::uint64_t number = 0;
        while (::read(pipe_, &number, sizeof number) == sizeof number) numbers.push_back(number);
        return numbers;
    }

private:
    [[noreturn]] static void run(const std::function<void(const Report&)>& work, int pipe) {
        int code = 0;
        try {
            work([pipe](std::uint64_t number) {
                if (::write(pipe, &number, sizeof number) != sizeof number) ::_exit(3);
            });
        } catch (...) {
            code = 2;
        }
        ::_exit(code);
    }

    pid_t pid_ = -1;
    int pipe_ = -1;
    bool ended_ = false;
};

}  // namespace daybook::test
