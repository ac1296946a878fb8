#include <algorithm>
#include <chrono>
#include <optional>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/subscription.hpp"
#include "event_line.hpp"

namespace daybook::command {

namespace {

/// How long a reader that has left may go unnoticed.
constexpr std::chrono::milliseconds follow_wait{500};

struct ReadPlan {
    std::optional<StreamName> stream;
    std::uint64_t from = 0;
    std::uint64_t limit = unlimited;
    Direction direction = Direction::forward;
    EventFilter filter;
    bool follow = false;
};

ReadPlan plan_of(const Invocation& invocation) {
    ReadPlan plan;
    if (invocation.has("STREAM")) plan.stream = StreamName{invocation.text("STREAM")};
    if (invocation.has("--from")) plan.from = count_of(invocation, "--from");
    if (invocation.has("--limit")) plan.limit = count_of(invocation, "--limit");
    if (invocation.has("--backward")) plan.direction = Direction::backward;
    plan.filter = {invocation.texts("--category"), invocation.texts("--type")};
    plan.follow = invocation.has("--follow");
    if (plan.stream && invocation.has("--all")) {
        throw InvalidError("a stream and --all: give one of them");
    }
    if (!plan.stream && !invocation.has("--all") && plan.filter.empty()) {
        throw InvalidError("name a stream, or give --all");
    }
    if (plan.stream && !plan.filter.categories.empty()) {
        throw InvalidError("--category is for the whole log, not for one stream");
    }
    if (plan.follow && plan.direction == Direction::backward) {
        throw InvalidError("--follow goes forward: leave out --backward");
    }
    return plan;
}

/// Prints what fits until there were enough.
class Printer {
public:
    Printer(const ReadPlan& plan, Output& output) : plan_(plan), output_(output) {}

    bool enough() const noexcept { return printed_ >= plan_.limit; }

    void print(EventView event) {
        if (plan_.stream && !fits(event.type())) return;
        if (output_.json()) {
            write_event_line(event, line_);
        } else {
            write_event_text(event, line_);
        }
        output_.line(line_);
        ++printed_;
    }

private:
    // The engine filters the log only.
    bool fits(std::string_view type) const {
        const auto& types = plan_.filter.types;
        return types.empty() || std::ranges::find(types, type) != types.end();
    }

    const ReadPlan& plan_;
    Output& output_;
    std::uint64_t printed_ = 0;
    std::string line_;
};

/// Prints what is there; returns the version that comes next.
std::uint64_t print_stream(const EventStore& store, const ReadPlan& plan, std::uint64_t from,
                           Printer& printer) {
    for (const EventView event :
         store.read(*plan.stream, {.from = from, .direction = plan.direction})) {
        printer.print(event);
        from = event.version().value() + 1;
        if (printer.enough()) break;
    }
    return from;
}

void print_log(const EventStore& store, const ReadPlan& plan, Printer& printer) {
    for (const EventView event : store.read_all({.from = plan.from,
                                                 .limit = plan.limit,
                                                 .direction = plan.direction,
                                                 .filter = plan.filter})) {
        printer.print(event);
    }
}

void follow_stream(const EventStore& store, const ReadPlan& plan, Printer& printer,
                   Invocation& invocation) {
    const std::stop_token stop = invocation.stop();
    std::uint64_t from = std::max<std::uint64_t>(plan.from, 1);
    while (!stop.stop_requested() && !invocation.output().reader_left()) {
        const Position seen = store.head();
        from = print_stream(store, plan, from, printer);
        invocation.output().flush();
        if (printer.enough()) return;
        store.wait_beyond(seen, follow_wait, stop);
    }
}

void follow_log(const EventStore& store, const ReadPlan& plan, Printer& printer,
                Invocation& invocation) {
    const std::stop_token stop = invocation.stop();
    const std::uint64_t after = plan.from > 0 ? plan.from - 1 : 0;
    Follower follower{store, {.after = after, .filter = plan.filter}};
    while (!stop.stop_requested() && !printer.enough() && !invocation.output().reader_left()) {
        auto event = follower.next(std::chrono::milliseconds{0}, stop);
        if (!event) {
            invocation.output().flush();
            event = follower.next(follow_wait, stop);
        }
        if (event) printer.print(*event);
    }
}

/// Nothing is printed then, and that looks as if nothing had happened since.
void tell_start_beyond_end(const EventStore& store, const ReadPlan& plan, Output& output) {
    if (plan.from == 0 || plan.direction == Direction::backward) return;
    const std::uint64_t end =
        plan.stream ? store.version(*plan.stream).value() : store.head().value();
    if (plan.from <= end + 1) return;
    output.note("--from " + std::to_string(plan.from) + " is beyond the end: " +
                (plan.stream ? "stream '" + plan.stream->str() + "'" : "the log") + " ends at " +
                std::to_string(end));
}

ExitCode read(Invocation& invocation) {
    const ReadPlan plan = plan_of(invocation);
    const EventStore store = invocation.open_store();
    tell_start_beyond_end(store, plan, invocation.output());
    Printer printer{plan, invocation.output()};
    if (printer.enough()) return ExitCode::ok;
    if (plan.follow) {
        plan.stream ? follow_stream(store, plan, printer, invocation)
                    : follow_log(store, plan, printer, invocation);
    } else if (!plan.stream) {
        print_log(store, plan, printer);
    } else if (store.version(*plan.stream) == Version{0}) {
        throw NotFoundError("stream '" + plan.stream->str() + "' holds no event in " + store.uri() +
                            ": check the name");
    } else {
        print_stream(store, plan, plan.from, printer);
    }
    return ExitCode::ok;
}

}  // namespace

Subcommand read_command() {
    using Takes = Option::Takes;
    return {
        .name = "read",
        .help = "Print the events of a stream or of the log",
        .options = {{.name = "STREAM", .help = "such as order-42"},
                    {.name = "--all", .help = "The whole log", .takes = Takes::nothing},
                    {.name = "--from",
                     .help = "First version of the stream, or position of the log",
                     .takes = Takes::number},
                    {.name = "--limit", .help = "How many events at most", .takes = Takes::number},
                    {.name = "--backward", .help = "The newest first", .takes = Takes::nothing},
                    {.name = "--category",
                     .help = "Only streams of this category; may be repeated",
                     .value = "C",
                     .repeated = true},
                    {.name = "--type",
                     .help = "Only events of this type; may be repeated",
                     .value = "T",
                     .repeated = true},
                    {.name = "--follow",
                     .help = "Wait for more at the end, until Ctrl-C",
                     .takes = Takes::nothing}},
        .run = read};
}

}  // namespace daybook::command
