#include "daybook/core/fingerprint.hpp"

#include "sha256.hpp"

namespace daybook {

std::string fingerprint(std::string_view text) {
    const detail::Sha256 digest = detail::sha256(text);
    std::string hex(digest.size() * 2, '\0');
    detail::write_hex(digest.data(), digest.size(), hex.data());
    return hex;
}

}  // namespace daybook
