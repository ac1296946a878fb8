#include "daybook/command/output.hpp"

#include <ostream>

#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"
#include "json_text.hpp"

namespace daybook::command {

namespace {

using Json = nlohmann::ordered_json;

void write_members(std::ostream& out, const Json& object, const std::string& indent);

void write_elements(std::ostream& out, const Json& array, const std::string& indent) {
    for (const Json& element : array) out << indent << "- " << to_cell(element) << '\n';
}

void write_member(std::ostream& out, const std::string& key, const Json& value,
                  const std::string& indent) {
    out << indent << words_of(key) << ':';
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
        line(to_line(object));
    } else {
        write_members(data_, object, "");
    }
}

void Output::line(std::string_view text) { data_ << text << '\n'; }

void Output::note(std::string_view text) { notes_ << text << '\n'; }

void Output::flush() {
    if (!data_.flush()) {
        throw StorageError("stdout cannot be written: see where it goes, and run it again");
    }
}

}  // namespace daybook::command
