#include "utf8.hpp"

namespace daybook::detail {
namespace {

struct Form {
    std::size_t size;
    char32_t lead_bits;
    char32_t least;  // anything smaller has a shorter form
};

constexpr Form form_of(unsigned char lead) noexcept {
    if (lead < 0x80) return {1, lead, 0};
    if (lead >= 0xC0 && lead < 0xE0) return {2, lead & 0x1Fu, 0x80};
    if (lead >= 0xE0 && lead < 0xF0) return {3, lead & 0x0Fu, 0x800};
    if (lead >= 0xF0 && lead < 0xF8) return {4, lead & 0x07u, 0x10000};
    return {0, 0, 0};
}

}  // namespace

char32_t next_code_point(std::string_view& text) noexcept {
    const Form form = form_of(static_cast<unsigned char>(text.front()));
    if (form.size == 0 || text.size() < form.size) return not_utf8;
    char32_t value = form.lead_bits;
    for (std::size_t i = 1; i < form.size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return not_utf8;
        value = (value << 6) | (byte & 0x3Fu);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < form.least || value > 0x10FFFF || surrogate) return not_utf8;
    text.remove_prefix(form.size);
    return value;
}

}  // namespace daybook::detail
