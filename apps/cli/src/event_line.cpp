#include "event_line.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"
#include "daybook/schema/is_json.hpp"
#include "daybook/schema/json_reader.hpp"
#include "daybook/schema/json_writer.hpp"

namespace daybook::command {

namespace {

bool has_line_break(std::string_view json) {
    return json.find_first_of("\n\r") != std::string_view::npos;
}

// A line break can only stand between two tokens of JSON.
void append_on_one_line(std::string_view json, std::string& out) {
    const std::size_t at = out.size();
    out += json;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(at), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void write_json(JsonWriter& json, std::string_view key, std::string_view text) {
    json.key(key);
    if (text.empty()) {
        json.null();
    } else {
        std::string line;
        append_on_one_line(text, line);
        json.json(line);
    }
}

// What cannot stand on one line as it is stands in a text besides, where a line break is `\n`.
void write_exact(JsonWriter& json, std::string_view key, std::string_view text) {
    if (!has_line_break(text)) return;
    json.key(key);
    json.value(text);
}

void write_id(JsonWriter& json, std::string_view key, const EventId& id) {
    json.key(key);
    if (id.is_nil()) {
        json.null();
    } else {
        json.value(id);
    }
}

/// The parts of a line, as they stand in it.
struct LineParts {
    std::optional<std::string_view> type;
    std::optional<std::string_view> data;
    std::string_view data_text;
    std::string_view metadata;
    std::string_view metadata_text;
    std::string_view id;
    std::string_view schema_version;
    std::string_view correlation;
    std::string_view causation;
};

void take_part(LineParts& parts, std::string_view key, std::string_view value) {
    if (key == "type") {
        parts.type = value;
    } else if (key == "data") {
        parts.data = value;
    } else if (key == "data_text") {
        parts.data_text = value;
    } else if (key == "metadata") {
        parts.metadata = value;
    } else if (key == "metadata_text") {
        parts.metadata_text = value;
    } else if (key == "id") {
        parts.id = value;
    } else if (key == "schema_version") {
        parts.schema_version = value;
    } else if (key == "correlation") {
        parts.correlation = value;
    } else if (key == "causation") {
        parts.causation = value;
    } else if (key == "tags") {
        throw InvalidError("'tags': this version of Daybook stores none, leave them out");
    } else if (key != "stream" && key != "version" && key != "position" && key != "recorded_at") {
        throw InvalidError("'" + std::string(key) +
                           "' is no part of an event: there are type, data, metadata, id, "
                           "schema_version, correlation and causation");
    }
}

// `line` is a JSON object. Parsing its values would lose digits. Which of two values of one key is
// meant cannot be known.
LineParts split(std::string_view line) {
    LineParts parts;
    std::set<std::string, std::less<>> seen;
    JsonReader::read(line, "line", [&](JsonReader& json) {
        json.members([&](std::string_view key) {
            if (!seen.emplace(key).second) {
                throw InvalidError("'" + std::string(key) +
                                   "' stands there twice: leave out the wrong one");
            }
            take_part(parts, key, json.raw());
        });
    });
    return parts;
}

/// What the JSON string `value` says. Throws InvalidError naming `key` if it is no string.
std::string json_text(std::string_view key, std::string_view value) {
    const auto text = nlohmann::json::parse(value, nullptr, false);
    if (!text.is_string()) {
        throw InvalidError("'" + std::string(key) + "' is a text, not " +
                           std::string(value.substr(0, 40)));
    }
    return text.get<std::string>();
}

bool is_given(std::string_view value) { return !value.empty() && value != "null"; }

/// The exact text of a payload that has line breaks, if it is given besides the payload. They are
/// the same but for blanks, unless somebody has changed one of them.
std::string exact(std::string_view key, std::string_view value, std::string_view text) {
    if (!is_given(text)) return std::string(value);
    std::string exact_text = json_text(std::string(key) + "_text", text);
    if (!is_same_json(exact_text, value)) {
        throw InvalidError("'" + std::string(key) + "' and '" + std::string(key) +
                           "_text' are not the same: leave out '" + std::string(key) + "_text'");
    }
    return exact_text;
}

int schema_version_of(std::string_view value) {
    if (!is_given(value)) return 1;
    int version = 0;
    const char* end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, version);
    if (error != std::errc{} || stopped != end || version < 1) {
        throw InvalidError("'schema_version' is a whole number from 1, not " +
                           std::string(value.substr(0, 40)));
    }
    return version;
}

EventId id_of(std::string_view key, std::string_view value) {
    return is_given(value) ? EventId::parse(json_text(key, value)) : EventId{};
}

}  // namespace

void write_event_line(EventView event, std::string& line) {
    line.clear();
    JsonWriter json{line, event.type()};
    json.begin_object();
    json.key("stream");
    json.value(event.stream());
    json.key("version");
    json.value(event.version().value());
    json.key("position");
    json.value(event.position().value());
    json.key("type");
    json.value(event.type());
    json.key("schema_version");
    json.value(event.schema_version());
    write_id(json, "id", event.id());
    json.key("recorded_at");
    json.value(event.recorded_at());
    write_id(json, "correlation", event.correlation());
    write_id(json, "causation", event.causation());
    write_json(json, "metadata", event.metadata());
    write_json(json, "data", event.data());
    write_exact(json, "data_text", event.data());
    write_exact(json, "metadata_text", event.metadata());
    json.end_object();
}

void write_event_text(EventView event, std::string& line) {
    line = std::to_string(event.position().value());
    if (line.size() < 8) line.insert(0, 8 - line.size(), ' ');
    line += "  ";
    line += to_iso8601(event.recorded_at());
    line += "  ";
    line += event.stream();
    line += '@';
    line += std::to_string(event.version().value());
    line += "  ";
    line += event.type();
    line += "  ";
    append_on_one_line(event.data(), line);
}

void EventBatch::add_line(std::string_view line) {
    if (!is_json_object(line)) {
        throw InvalidError("the line " + json_fault(line).value_or("is not a JSON object: write "
                                                                   "{\"type\":…,\"data\":…}"));
    }
    const LineParts parts = split(line);
    if (!parts.type) throw InvalidError("'type' is missing");
    if (!parts.data) throw InvalidError("'data' is missing");
    NewEvent& event = add(json_text("type", *parts.type), schema_version_of(parts.schema_version),
                          exact("data", *parts.data, parts.data_text));
    if (is_given(parts.id)) {
        event.id = id_of("id", parts.id);
        if (!ids_.insert(event.id).second) {
            throw InvalidError("the id " + event.id.to_string() +
                               " stands in a line before: give each event its own");
        }
    }
    if (is_given(parts.metadata)) {
        event.metadata = exact("metadata", parts.metadata, parts.metadata_text);
    }
    event.trace = {id_of("correlation", parts.correlation), id_of("causation", parts.causation)};
    // It began its conversation: that is stored as no correlation at all.
    if (event.trace.correlation == event.id) event.trace.correlation = {};
}

NewEvent& EventBatch::add(std::string_view type, int schema_version, std::string data) {
    const auto& name = *types_.emplace(type).first;
    return events_.emplace_back(EventType::checked(name, schema_version), std::move(data));
}

}  // namespace daybook::command
