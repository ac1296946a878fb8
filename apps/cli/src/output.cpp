#include "daybook/command/output.hpp"

#include <ostream>
#include <sstream>

#include <nlohmann/json.hpp>
#include <poll.h>

#include "daybook/core/error.hpp"
#include "json_text.hpp"
#include "terminal_text.hpp"

namespace daybook::command {

namespace {

using Json = nlohmann::ordered_json;

void write_members(std::ostream& out, const Json& object, const std::string& indent);

void write_elements(std::ostream& out, const Json& array, const std::string& indent) {
    for (const Json& element : array) out << indent << "- " << to_cell(element) << '\n';
}

void write_member(std::ostream& out, const std::string& key, const Json& value,
                  const std::string& indent) {
    out << indent << terminal_text(words_of(key)) << ':';
    if (value.is_object() && !value.empty()) {
        out << '\n';
        write_members(out, value, indent + "  ");
    } else if (value.is_array() && !value.empty()) {
        out << '\n';
        write_elements(out, value, indent + "  ");
    } else {
        out << ' ' << to_cell(value) << '\n';
    }
}

void write_members(std::ostream& out, const Json& object, const std::string& indent) {
    for (const auto& [key, value] : object.items()) write_member(out, key, value, indent);
}

}  // namespace

void Output::record(const Json& object) {
    if (json()) {
        write(terminal_json(to_line(object)) + '\n');
    } else {
        std::ostringstream text;
        write_members(text, object, "");
        write(text.str());
    }
}

// A payload in a line of JSON is the text that is stored, byte by byte, so that another store can
// take it. Only a terminal gets it escaped.
void Output::line(std::string_view text) {
    if (!json()) {
        write(terminal_text(text) + '\n');
    } else if (options_.on_terminal) {
        write(terminal_json(text) + '\n');
    } else {
        data_ << text << '\n';
        require_written();
    }
}

void Output::lines(std::string_view text) { write(terminal_lines(text) + '\n'); }

void Output::note(std::string_view text) { notes_ << terminal_lines(text) + '\n'; }

void Output::write(std::string_view text) {
    data_ << text;
    require_written();
}

void Output::flush() {
    data_.flush();
    require_written();
}

void Output::require_written() {
    if (data_) return;
    if (reader_left()) throw ReaderLeft{};
    throw StorageError("stdout cannot be written: see where it goes");
}

bool Output::reader_left() const noexcept {
    pollfd end{options_.data_descriptor, 0, 0};
    return ::poll(&end, 1, 0) == 1 && (end.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace daybook::command
