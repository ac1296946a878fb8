#include "names.hpp"

#include <string>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"

namespace daybook::detail {
namespace {

constexpr std::size_t name_bytes_max = 200;

/// FNV-1a, 64 bits.
class Hash {
public:
    void add(std::string_view text) noexcept {
        for (const char c : text) add(static_cast<unsigned char>(c));
    }
    void add(unsigned char byte) noexcept {
        value_ ^= byte;
        value_ *= 1099511628211ULL;
    }
    std::uint64_t value() const noexcept { return value_; }

private:
    std::uint64_t value_ = 14695981039346656037ULL;
};

[[noreturn]] void refuse(std::string_view what, std::string_view name, const char* why) {
    throw InvalidError(std::string(what) + " '" + clean_text(name, 60) + "' " + why +
                       ": give 1 to 200 bytes of UTF-8 without zero bytes");
}

}  // namespace

void require_name(std::string_view what, std::string_view name) {
    if (name.empty()) refuse(what, name, "is empty");
    if (name.size() > name_bytes_max) refuse(what, name, "is longer than 200 bytes");
    require_clean(what, name);
}

void require_clean(std::string_view what, std::string_view text) {
    if (!is_clean_text(text)) refuse(what, text, "is not UTF-8 or holds a zero byte");
}

std::uint64_t content_hash(const Message& message) noexcept {
    Hash hash;
    hash.add(message.type);
    hash.add(std::uint8_t{0});
    for (auto version = static_cast<unsigned>(message.schema_version); version != 0;
         version >>= 8) {
        hash.add(static_cast<unsigned char>(version & 0xFFU));
    }
    hash.add(std::uint8_t{0});
    hash.add(message.data);
    return hash.value();
}

}  // namespace daybook::detail
