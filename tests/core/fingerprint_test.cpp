#include "daybook/core/fingerprint.hpp"

#include <doctest/doctest.h>

TEST_CASE("a fingerprint is SHA-256 as other programs compute it") {
    CHECK(daybook::fingerprint("") ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(daybook::fingerprint("abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(daybook::fingerprint("abd") != daybook::fingerprint("abc"));
}
