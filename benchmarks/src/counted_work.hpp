#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "scratch.hpp"

namespace bench {

/// A piece of work whose instructions are counted.
struct CountedWork {
    std::string_view name;
    std::string_view unit;  ///< what is done `times` times, in the singular
    std::size_t times;
    /// Fills a store in `scratch` and returns the work, which runs once.
    std::function<void()> (*prepare)(const Scratch& scratch, std::size_t times);
};

std::span<const CountedWork> all_counted_works();

}  // namespace bench
