#include <utility>

#include <daybook/command/command.hpp>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/story.hpp"
#include "app/text_table.hpp"

namespace shop {
namespace {

using daybook::command::ExitCode;
using daybook::command::Invocation;
using daybook::command::Output;

std::string minute_of(daybook::Timestamp at) {
    std::string text = daybook::to_iso8601(at).substr(0, 16);
    text[10] = ' ';
    return text;
}

/// The end of an id: its beginning is a time, and alike for many.
std::string short_id(const daybook::EventId& id) { return id.to_string().substr(28); }

void print_json(Output& output, const Story& story) {
    for (const StoryLine& line : story.lines) {
        nlohmann::ordered_json object{{"position", line.position.value()},
                                      {"recorded_at", daybook::to_iso8601(line.at)},
                                      {"stream", line.stream},
                                      {"type", line.type},
                                      {"text", line.text}};
        if (line.message) object["message"] = line.message->to_string();
        output.record(object);
    }
    for (const WaitingLine& line : story.waiting) {
        nlohmann::ordered_json object{{"waiting", line.text}};
        if (line.until) object["until"] = daybook::to_iso8601(*line.until);
        output.record(object);
    }
}

/// A message stands above the first thing that its handling led to.
void print_text(Output& output, const Story& story) {
    TextTable table{{"at", ">position", "stream", "what happened"}};
    std::string minute;
    std::optional<daybook::EventId> message;
    for (const StoryLine& line : story.lines) {
        std::string at = minute_of(line.at);
        if (at == minute) at.clear();
        minute = minute_of(line.at);
        if (line.message && line.message != message) {
            table.add({std::exchange(at, {}), "", "  to " + line.receiver,
                       "  message " + short_id(*line.message)});
        }
        message = line.message;
        table.add({at, std::to_string(line.position.value()), line.stream, line.text});
    }
    for (const std::string& line : table.lines()) output.line(line);
    for (const WaitingLine& line : story.waiting) {
        output.line("  still to come: " + line.text +
                    (line.until ? ", until " + minute_of(*line.until) : ""));
    }
}

ExitCode show(Invocation& invocation) {
    const auto story = story_of(invocation.open_store(), invocation.text("ORDER"));
    if (invocation.json()) {
        print_json(invocation.output(), story);
    } else {
        print_text(invocation.output(), story);
    }
    return ExitCode::ok;
}

}  // namespace

daybook::command::Subcommand show_command() {
    return {.name = "show",
            .help = "Tell the story of one order: events, steps of its sagas, messages",
            .options = {{.name = "ORDER", .help = "Its number", .required = true}},
            .run = show};
}

}  // namespace shop
