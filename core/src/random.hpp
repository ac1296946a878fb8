#pragma once

#include <cstdint>

namespace daybook::detail {

/// 64 random bits from a generator of the calling thread (xoshiro256**). The kernel seeds it, and
/// again in the child of a fork. For ids and jitter, not for secrets. Throws UnavailableError if
/// the kernel provides no seed.
std::uint64_t random_bits();

}  // namespace daybook::detail
