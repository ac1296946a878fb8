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

TEST_CASE("an encryption request has no type and its reply no length") {
    WirePhase phase;
    CHECK_FALSE(first_from_client(startup(80877103).substr(0, 7), phase).has_value());
    CHECK(phase.encryption_requests == 0);
    for (const std::uint32_t code : {80877104U, 80877103U}) {
        const auto request = first_from_client(startup(code), phase);
        REQUIRE(request.has_value());
        CHECK(request->type == '?');
        CHECK_FALSE(first_from_server("", phase).has_value());
        const auto reply = first_from_server("N", phase);
        REQUIRE(reply.has_value());
        CHECK(reply->type == '!');
        CHECK(reply->size == 1);
    }
    const auto started = first_from_client(startup(version, "user"), phase);
    REQUIRE(started.has_value());
    CHECK(started->type == '^');
    CHECK(started->size == 12);
    CHECK(first_from_client(typed('p', "secret"), phase)->type == 'p');
    CHECK(first_from_server(typed('R', "1234"), phase)->type == 'R');
}

TEST_CASE("a cancel request is identified by its code") {
    WirePhase phase;
    const auto cancel = first_from_client(startup(80877102, "12345678"), phase);
    REQUIRE(cancel.has_value());
    CHECK(cancel->type == 'x');
    CHECK(cancel->size == 16);
}

TEST_CASE("a ParameterStatus message is identified by the name of its parameter") {
    const std::string status = parameter_status("server_version", "12.22");
    WirePhase phase{.starting = false};
    const auto message = first_from_server(status + "Z", phase);
    REQUIRE(message.has_value());
    CHECK(message->type == 'S');
    CHECK(message->size == status.size());
    CHECK(is_parameter_status(status, "server_version"));
    CHECK_FALSE(is_parameter_status(status, "server"));
    CHECK_FALSE(is_parameter_status(status, "server_version_num"));
    CHECK_FALSE(is_parameter_status(typed('D', "server_version"), "server_version"));
}

TEST_SUITE_END();
