#include <doctest/doctest.h>

#include "process.hpp"

// Half of the time of a short command went into loading libraries that it did not call. The runtime
// of a sanitizer loads libraries in its own way.

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("the command loads no library that it does not call [E23]" *
          doctest::test_suite("no-store")) {
    const auto loaded = process::run({"--version"}, {.environment = {"LD_TRACE_LOADED_OBJECTS=1"}});
    REQUIRE(loaded.out.find("libc.so") != std::string::npos);
    for (const std::string library : {"libpq", "libcrypto", "libssl", "libldap", "libgssapi"}) {
        CHECK_MESSAGE(loaded.out.find(library) == std::string::npos, loaded.out);
    }
}
#endif
