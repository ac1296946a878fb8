#include "values/fork_mark.hpp"

#include <mutex>
#include <string>

#include <pthread.h>

#include "daybook/core/error.hpp"

namespace daybook::detail {

std::atomic<std::uint32_t> ForkMark::forks{0};

namespace {

std::once_flag registered;

}  // namespace

ForkMark::ForkMark()
    : made_after_([] {
          std::call_once(registered, [] {
              pthread_atfork(nullptr, nullptr,
                             [] { forks.fetch_add(1, std::memory_order_relaxed); });
          });
          return forks.load(std::memory_order_relaxed);
      }()) {}

void ForkMark::throw_in_child(std::string_view store) {
    throw InvalidError("store '" + std::string(store) +
                       "': this process was forked off while it was open, and its locks stay with "
                       "the parent: drop the handle and open the store after the fork");
}

}  // namespace daybook::detail
