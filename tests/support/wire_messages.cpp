#include "wire_messages.hpp"

#include <cstdint>

namespace daybook::test {
namespace {

constexpr std::uint32_t cancel_code = 80877102;
constexpr std::uint32_t tls_code = 80877103;
constexpr std::uint32_t gss_code = 80877104;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        number = number << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return number;
}

std::optional<WireMessage> first_typed(std::string_view bytes) {
    if (bytes.size() < 5 || bytes.size() - 1 < number_at(bytes, 1)) return std::nullopt;
    return WireMessage{bytes[0], number_at(bytes, 1) + std::size_t{1}};
}

}  // namespace

std::optional<WireMessage> first_from_client(std::string_view bytes, WirePhase& phase) {
    if (!phase.starting) return first_typed(bytes);
    if (bytes.size() < 8 || bytes.size() < number_at(bytes, 0)) return std::nullopt;
    const std::uint32_t code = number_at(bytes, 4);
    phase.starting = code == tls_code || code == gss_code;
    if (phase.starting) ++phase.encryption_requests;
    const char first = code == cancel_code ? 'x' : '^';
    return WireMessage{phase.starting ? '?' : first, number_at(bytes, 0)};
}

std::optional<WireMessage> first_from_server(std::string_view bytes, WirePhase& phase) {
    if (phase.encryption_requests == 0) return first_typed(bytes);
    if (bytes.empty()) return std::nullopt;
    --phase.encryption_requests;
    return WireMessage{'!', 1};
}

std::string parameter_status(std::string_view name, std::string_view value) {
    const auto length = static_cast<std::uint32_t>(4 + name.size() + 1 + value.size() + 1);
    std::string message = "S";
    for (const auto shift : {24U, 16U, 8U, 0U}) {
        message += static_cast<char>(length >> shift & 0xFFU);
    }
    message.append(name).append(1, '\0').append(value).append(1, '\0');
    return message;
}

bool is_parameter_status(std::string_view message, std::string_view name) {
    return message.starts_with('S') && message.size() > 5 + name.size() &&
           message.substr(5).starts_with(name) && message[5 + name.size()] == '\0';
}

}  // namespace daybook::test
