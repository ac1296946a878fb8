#include "wire_messages.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace daybook::test;

namespace {

std::string number(std::uint32_t value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFFU);
    return bytes;
}

std::string startup(std::uint32_t code, const std::string& rest = "") {
    return number(static_cast<std::uint32_t>(8 + rest.size())) + number(code) + rest;
}

std::string typed(char type, const std::string& text) {
    return type + number(static_cast<std::uint32_t>(4 + text.size())) + text;
}

constexpr std::uint32_t version = 3 << 16;

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("a message is not taken before its last byte is there") {
    for (const std::string& bytes : {typed('Q', "SELECT 1"), typed('S', "")}) {
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            WirePhase phase{.starting = false};
            CHECK_FALSE(first_from_client(bytes.substr(0, size), phase).has_value());
            CHECK_FALSE(first_from_server(bytes.substr(0, size), phase).has_value());
        }
        WirePhase phase{.starting = false};
        const auto message = first_from_client(bytes + "more", phase);
        REQUIRE(message.has_value());
        CHECK(message->type == bytes[0]);
        CHECK(message->size == bytes.size());
    }
}

TEST_CASE("what comes before the startup has no type and the answer no length") {
    WirePhase phase;
    CHECK_FALSE(first_from_client(startup(80877103).substr(0, 7), phase).has_value());
    CHECK(phase.wishes == 0);
    for (const std::uint32_t wish : {80877104U, 80877103U}) {
        const auto asked = first_from_client(startup(wish), phase);
        REQUIRE(asked.has_value());
        CHECK(asked->type == '?');
        CHECK_FALSE(first_from_server("", phase).has_value());
        const auto answered = first_from_server("N", phase);
        REQUIRE(answered.has_value());
        CHECK(answered->type == '!');
        CHECK(answered->size == 1);
    }
    const auto begun = first_from_client(startup(version, "user"), phase);
    REQUIRE(begun.has_value());
    CHECK(begun->type == '^');
    CHECK(begun->size == 12);
    CHECK(first_from_client(typed('p', "secret"), phase)->type == 'p');
    CHECK(first_from_server(typed('R', "1234"), phase)->type == 'R');
}

TEST_CASE("a wish to cancel is known by its code") {
    WirePhase phase;
    const auto cancel = first_from_client(startup(80877102, "12345678"), phase);
    REQUIRE(cancel.has_value());
    CHECK(cancel->type == 'x');
    CHECK(cancel->size == 16);
}

TEST_CASE("what a server says of itself is told apart by the parameter's name") {
    const std::string said = parameter_status("server_version", "12.22");
    WirePhase phase{.starting = false};
    const auto message = first_from_server(said + "Z", phase);
    REQUIRE(message.has_value());
    CHECK(message->type == 'S');
    CHECK(message->size == said.size());
    CHECK(is_parameter_status(said, "server_version"));
    CHECK_FALSE(is_parameter_status(said, "server"));
    CHECK_FALSE(is_parameter_status(said, "server_version_num"));
    CHECK_FALSE(is_parameter_status(typed('D', "server_version"), "server_version"));
}

TEST_SUITE_END();
