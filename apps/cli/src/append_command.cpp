#include <cstdio>
#include <iostream>
#include <limits>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "event_line.hpp"
#include "json_text.hpp"

namespace daybook::command {

namespace {

/// A payload and its metadata, each once as JSON and once as a text in which every byte may be an
/// escape of six, and some room for the rest.
std::size_t line_bytes_max(const StoreOptions& options) {
    return 14 * options.payload_bytes_max + 65'536;
}

/// Replaces `line` by the next one of stdin; false at the end.
bool next_line(std::string& line, std::size_t bytes_max) {
    line.clear();
    std::streambuf& input = *std::cin.rdbuf();
    for (int c = input.sbumpc(); c != std::char_traits<char>::eof(); c = input.sbumpc()) {
        if (c == '\n') return true;
        if (line.size() == bytes_max) {
            throw InvalidError("it is longer than " + std::to_string(bytes_max) +
                               " bytes: store large things elsewhere and append a reference");
        }
        line += static_cast<char>(c);
    }
    return !line.empty();
}

/// All of stdin is one transaction, and so is limited like one.
void read_lines(EventBatch& batch, const StoreOptions& options) {
    const std::size_t bytes_max = line_bytes_max(options);
    std::string line;
    for (std::size_t number = 1;; ++number) {
        try {
            if (!next_line(line, bytes_max)) break;
            if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
            if (batch.size() == options.append_events_max) {
                throw InvalidError("there are more than " +
                                   std::to_string(options.append_events_max) +
                                   " events: append them in several calls");
            }
            batch.add_line(line);
        } catch (const Error& error) {
            throw InvalidError("stdin, line " + std::to_string(number) + ": " + error.what());
        }
    }
    if (std::ferror(stdin) != 0)
        throw InvalidError("stdin cannot be read: see where it comes from");
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

EventBatch read_batch(const Invocation& invocation, const StoreOptions& options) {
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
    read_lines(batch, options);
    return batch;
}

/// A store that is not there is made by an append that works, and by no other: what an append
/// could be refused for is found out in a store in memory first.
template <class Append>
EventStore open_for(Invocation& invocation, const Program& program, const Append& append) {
    try {
        return invocation.open_store();
    } catch (const NotFoundError&) {
        StoreOptions options = program.store;
        options.create = true;
        EventStore rehearsal = EventStore::open(":memory:", options);
        append(rehearsal);
    }
    return invocation.open_store(IfMissing::create);
}

ExitCode append(Invocation& invocation, const Program& program) {
    const StreamName stream{invocation.text("STREAM")};
    const auto expected = ExpectedVersion::parse(invocation.text("--expect"));
    const EventBatch batch = read_batch(invocation, program.store);
    if (batch.size() == 0) {
        throw InvalidError(
            "stdin holds no event: give one JSON object a line, or --type and "
            "--data");
    }
    EventStore store = open_for(invocation, program, [&](EventStore& rehearsal) {
        rehearsal.append(stream, expected, batch.events());
    });
    const AppendResult result = store.append(stream, expected, batch.events());

    const std::string stored = stream.str() + " has version " +
                               std::to_string(result.version.value()) + " at position " +
                               std::to_string(result.position.value());
    invocation.committed(stored);
    Output& output = invocation.output();
    if (output.json()) {
        output.record({{"stream", stream.str()},
                       {"version", result.version.value()},
                       {"position", result.position.value()},
                       {"events", batch.size()},
                       {"repeated", result.repeated}});
    } else {
        output.line(stored + (result.repeated ? " (stored before)" : ""));
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
