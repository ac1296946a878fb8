#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shop {

/// `1,234.50`
std::string money(std::int64_t cents);

/// Lines up columns of text. A heading that begins with `>` sets its column to the right.
class TextTable {
public:
    explicit TextTable(const std::vector<std::string>& headings);

    void add(std::vector<std::string> cells);
    /// One line for the headings and one for each row, without line ends.
    std::vector<std::string> lines() const;

private:
    std::vector<bool> right_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace shop
