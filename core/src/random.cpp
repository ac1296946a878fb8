#include "random.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include <pthread.h>
#include <sys/random.h>

#include "daybook/core/error.hpp"

namespace daybook::detail {
namespace {

// Incremented in the child of each fork, where the generators would otherwise return the same
// numbers as in the parent.
std::atomic<std::uint64_t> process_generation{1};

struct Generator {
    std::array<std::uint64_t, 4> state{};
    std::uint64_t generation = 0;  // 0: not seeded yet
};

// Constant-initialised, so that the hot path does not test an initialisation guard.
constinit thread_local Generator generator;

[[gnu::noinline]] void seed(Generator& target) {
    static const int watching_forks =
        pthread_atfork(nullptr, nullptr, [] { process_generation.fetch_add(1); });
    if (watching_forks != 0) {
        throw UnavailableError("random numbers: no memory to watch for forks; try again later");
    }
    if (getentropy(target.state.data(), sizeof target.state) != 0) {
        throw UnavailableError(std::string("random numbers: the kernel gives no seed (") +
                               std::strerror(errno) + "); allow the system call getrandom");
    }
    target.state[0] |= 1;  // the all-zero state would return only zeros
    target.generation = process_generation.load(std::memory_order_relaxed);
}

}  // namespace

std::uint64_t random_bits() {
    Generator& own = generator;
    if (own.generation != process_generation.load(std::memory_order_relaxed)) seed(own);

    auto& s = own.state;
    const std::uint64_t result = std::rotl(s[1] * 5, 7) * 9;
    const std::uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = std::rotl(s[3], 45);
    return result;
}

}  // namespace daybook::detail
