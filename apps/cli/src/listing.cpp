#include <algorithm>
#include <cctype>
#include <ostream>
#include <utility>

#include "daybook/command/output.hpp"
#include "json_text.hpp"
#include "terminal_text.hpp"

namespace daybook::command {

namespace {

std::string heading_of(std::string_view key) {
    std::string heading = words_of(key);
    std::ranges::transform(heading, heading.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return heading;
}

}  // namespace

Listing::Listing(Output& output, std::initializer_list<std::string_view> keys)
    : output_(output), keys_(keys.begin(), keys.end()) {
    for (const auto& key : keys_) widths_.push_back(terminal_width(key));
}

Listing::~Listing() {
    try {
        write_kept();
    } catch (...) {
        // A stream that throws is the stream's owner's care.
    }
}

void Listing::add(const Json& object) {
    if (output_.json()) {
        output_.record(object);
        return;
    }
    Row row;
    for (const auto& key : keys_) {
        const auto found = object.find(key);
        const Json value = found == object.end() ? Json(nullptr) : *found;
        row.push_back({to_cell(value), value.is_number()});
    }
    if (begun_) {
        write(row);
        return;
    }
    kept_.push_back(std::move(row));
    if (kept_.size() == rows_kept_max) write_kept();
}

void Listing::write(const Row& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const auto& [text, right] = row[i];
        const std::size_t width = terminal_width(text);
        const std::size_t missing = widths_[i] > width ? widths_[i] - width : 0;
        if (i > 0) line += "  ";
        if (right) line.append(missing, ' ');
        line += text;
        if (!right && i + 1 < row.size()) line.append(missing, ' ');
    }
    output_.line(line);
}

void Listing::write_kept() {
    if (begun_ || kept_.empty()) return;
    begun_ = true;
    Row headings;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        for (const Row& row : kept_) widths_[i] = std::max(widths_[i], terminal_width(row[i].text));
        headings.push_back({heading_of(keys_[i]), kept_.front()[i].right});
    }
    write(headings);
    for (const Row& row : kept_) write(row);
    kept_.clear();
}

}  // namespace daybook::command
