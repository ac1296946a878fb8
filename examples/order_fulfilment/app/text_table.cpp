#include "app/text_table.hpp"

#include <algorithm>

namespace shop {
namespace {

/// Characters, not bytes: names come from all over the world.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string money(std::int64_t cents) {
    const std::string sign = cents < 0 ? "-" : "";
    const auto amount = static_cast<std::uint64_t>(cents < 0 ? -cents : cents);
    std::string whole = std::to_string(amount / 100);
    for (std::size_t at = whole.size(); at > 3; at -= 3) whole.insert(at - 3, ",");
    const std::string part = std::to_string(100 + amount % 100);
    return sign + whole + "." + part.substr(1);
}

TextTable::TextTable(const std::vector<std::string>& headings) {
    std::vector<std::string> cells;
    for (const std::string& heading : headings) {
        right_.push_back(heading.starts_with('>'));
        cells.push_back(right_.back() ? heading.substr(1) : heading);
    }
    rows_.push_back(std::move(cells));
}

void TextTable::add(std::vector<std::string> cells) {
    cells.resize(right_.size());
    rows_.push_back(std::move(cells));
}

std::vector<std::string> TextTable::lines() const {
    std::vector<std::size_t> widths(right_.size());
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::vector<std::string> lines;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - width(row[i]), ' ');
            line += "  " + (right_[i] ? padding + row[i] : row[i] + padding);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace shop
