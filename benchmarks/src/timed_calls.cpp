#include "timed_calls.hpp"

#include <atomic>
#include <exception>
#include <latch>
#include <random>
#include <thread>

namespace bench {

CompletedCalls run_callers(
    std::size_t callers, std::chrono::milliseconds time,
    const std::function<void(std::size_t caller, std::uint64_t random)>& call) {
    struct Result {
        std::uint64_t calls = 0;
        std::exception_ptr error;
    };
    std::atomic<bool> stop{false};
    std::vector<Result> results(callers);
    std::latch ready{static_cast<std::ptrdiff_t>(callers) + 1};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i) {
        threads.emplace_back([&, i] {
            std::mt19937_64 random{i};
            ready.arrive_and_wait();
            try {
                for (; !stop.load(std::memory_order_relaxed); ++results[i].calls) call(i, random());
            } catch (...) {
                results[i].error = std::current_exception();
            }
        });
    }
    ready.arrive_and_wait();
    const auto start = Stopwatch::now();
    std::this_thread::sleep_for(time);
    stop = true;
    threads.clear();
    // Calls that were running when the time was up are counted, and so is their time.
    CompletedCalls completed{.seconds = seconds_since(start)};
    for (const auto& result : results) {
        if (result.error) std::rethrow_exception(result.error);
        completed.calls += result.calls;
    }
    return completed;
}

}  // namespace bench
