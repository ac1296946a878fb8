#include "daybook/eventstore/worker_name.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <unistd.h>

using namespace daybook;

TEST_SUITE_BEGIN("no-store");

TEST_CASE("a worker's name says where it runs and is given once") {
    const std::string name = detail::worker_name();
    CAPTURE(name);
    CHECK(std::ranges::count(name, '/') == 2);
    CHECK(name.find("/" + std::to_string(::getpid()) + "/") != std::string::npos);
    CHECK(detail::worker_name() != name);
}

TEST_SUITE_END();
