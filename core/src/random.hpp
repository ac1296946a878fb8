#pragma once

#include <cstdint>

namespace daybook::detail {

/// 64 even bits from the calling thread's own generator (xoshiro256**), seeded by the kernel, and
/// once more in the child after a fork. For ids and jitter, not for secrets. Throws
/// UnavailableError if the kernel gives no seed.
std::uint64_t random_bits();

}  // namespace daybook::detail
