#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "scratch.hpp"

namespace bench {

/// Something whose instructions are counted.
struct CountedWork {
    std::string_view name;
    std::string_view unit;  ///< what it does `times` times, in the singular
    std::size_t times;
    /// Fills a store in `scratch` and returns what is done with it, once.
    std::function<void()> (*prepare)(const Scratch& scratch, std::size_t times);
};

std::span<const CountedWork> all_counted_works();

}  // namespace bench
