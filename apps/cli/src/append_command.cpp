#include <iostream>
#include <limits>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "event_line.hpp"
#include "json_text.hpp"

namespace daybook::command {

namespace {

/// All of stdin is one unit, and so is limited like one.
void read_lines(EventBatch& batch, std::size_t events_max) {
    std::string line;
    for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        if (batch.size() == events_max) {
            throw InvalidError("stdin has more than " + std::to_string(events_max) +
                               " events: append them in several calls");
        }
        try {
            batch.add_line(line);
        } catch (const Error& error) {
            throw InvalidError("stdin, line " + std::to_string(number) + ": " + error.what());
        }
    }
    if (std::cin.bad()) throw InvalidError("stdin cannot be read");
}

void add_given(EventBatch& batch, const Invocation& invocation) {
    if (!invocation.has("--data")) {
        throw InvalidError("--type needs --data: give the event's JSON");
    }
    const auto version = count_of(invocation, "--schema-version");
    if (version < 1 || version > std::numeric_limits<int>::max()) {
        throw InvalidError("--schema-version is a whole number from 1");
    }
    NewEvent& event =
        batch.add(invocation.text("--type"), static_cast<int>(version), invocation.text("--data"));
    event.metadata = invocation.text("--metadata");
    if (invocation.has("--id")) event.id = EventId::parse(invocation.text("--id"));
}

EventBatch read_batch(const Invocation& invocation, std::size_t events_max) {
    EventBatch batch;
    if (invocation.has("--type")) {
        add_given(batch, invocation);
        return batch;
    }
    for (const auto* option : {"--data", "--metadata", "--id", "--schema-version"}) {
        if (invocation.has(option)) {
            throw InvalidError(std::string(option) + " needs --type: name the event's type");
        }
    }
    read_lines(batch, events_max);
    return batch;
}

ExitCode append(Invocation& invocation, const Program& program) {
    const StreamName stream{invocation.text("STREAM")};
    const auto expected = ExpectedVersion::parse(invocation.text("--expect"));
    const EventBatch batch = read_batch(invocation, program.store.append_events_max);
    if (batch.size() == 0) {
        throw InvalidError(
            "stdin holds no event: give one JSON object a line, or --type and "
            "--data");
    }
    EventStore store = invocation.open_store(IfMissing::create);
    const AppendResult result = store.append(stream, expected, batch.events());

    Output& output = invocation.output();
    if (output.json()) {
        output.record({{"stream", stream.str()},
                       {"version", result.version.value()},
                       {"position", result.position.value()},
                       {"events", batch.size()},
                       {"repeated", result.repeated}});
    } else {
        output.line(stream.str() + " has version " + std::to_string(result.version.value()) +
                    " at position " + std::to_string(result.position.value()) +
                    (result.repeated ? " (stored before)" : ""));
    }
    return ExitCode::ok;
}

}  // namespace

Subcommand append_command(const Program& program) {
    using Takes = Option::Takes;
    return {
        .name = "append",
        .help = "Append events to a stream: one by --type and --data, or NDJSON on stdin",
        .options = {{.name = "STREAM", .help = "such as order-42", .required = true},
                    {.name = "--expect",
                     .help = "What the stream holds: any, none, exists, or its version",
                     .value = "V",
                     .fallback = "any"},
                    {.name = "--type", .help = "Type of the event", .value = "T"},
                    {.name = "--data", .help = "Its payload", .value = "JSON"},
                    {.name = "--metadata", .help = "Its metadata, an object", .value = "JSON"},
                    {.name = "--id", .help = "Its id: makes a repeat harmless", .value = "UUID"},
                    {.name = "--schema-version",
                     .help = "Version of its shape",
                     .takes = Takes::number,
                     .fallback = "1"}},
        .run = [&program](Invocation& invocation) { return append(invocation, program); }};
}

}  // namespace daybook::command
