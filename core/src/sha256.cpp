#include "sha256.hpp"

#include <openssl/evp.h>

#include "daybook/core/error.hpp"

namespace daybook::detail {

Sha256 sha256(std::string_view text) {
    Sha256 digest;
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
        size != digest.size()) {
        throw UnavailableError("SHA-256: OpenSSL refuses it; check the machine's OpenSSL settings");
    }
    return digest;
}

char* write_hex(const std::uint8_t* bytes, std::size_t count, char* out) noexcept {
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < count; ++i) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0xF];
    }
    return out;
}

}  // namespace daybook::detail
