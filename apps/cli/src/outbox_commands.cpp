#include <string>
#include <vector>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "outbox_json.hpp"

namespace daybook::command {

namespace {

using Takes = Option::Takes;

const Option topic_option{.name = "--topic", .help = "Only this topic", .value = "T"};
const Option key_option{.name = "--key", .help = "Only this key", .value = "K"};
const Option limit_option{
    .name = "--limit", .help = "How many at most", .takes = Takes::number, .fallback = "1000"};

ExitCode list(Invocation& invocation) {
    const std::string topic = invocation.text("--topic");
    const std::string key = invocation.text("--key");
    const OutboxFilter filter{.topic = topic, .key = key, .limit = count_of(invocation, "--limit")};
    const EventStore store = invocation.open_store();
    Listing listing{invocation.output(),
                    {"id", "topic", "key", "type", "attempts", "waits_for", "until", "last_error"}};
    for (const WaitingMessage& waiting : outbox_list(store, filter)) {
        listing.add(waiting_json(waiting));
    }
    return ExitCode::ok;
}

ExitCode stats(Invocation& invocation) {
    const EventStore store = invocation.open_store();
    invocation.output().record(outbox_json(outbox_status(store)));
    return ExitCode::ok;
}

ExitCode parked(Invocation& invocation) {
    const std::string topic = invocation.text("--topic");
    const std::string key = invocation.text("--key");
    const DeadLetterFilter filter{
        .topic = topic, .key = key, .limit = count_of(invocation, "--limit")};
    const DeadLetters letters{invocation.open_store()};
    Listing listing{
        invocation.output(),
        {"id", "topic", "key", "type", "reason", "attempts", "holds", "parked_at", "error"}};
    for (const DeadLetter& letter : letters.list(filter)) listing.add(dead_letter_json(letter));
    return ExitCode::ok;
}

[[noreturn]] void fail_not_parked(const EventId& id) {
    throw NotFoundError("message " + id.to_string() +
                        " is not parked: `outbox parked` lists those that are");
}

ExitCode show(Invocation& invocation) {
    const EventId id = EventId::parse(invocation.text("ID"));
    const DeadLetters letters{invocation.open_store()};
    const auto letter = letters.find(id);
    if (!letter) fail_not_parked(id);
    invocation.output().record(dead_letter_json(*letter));
    return ExitCode::ok;
}

/// Which parked messages are meant: one by its id, those of a topic or key, or all.
class Choice {
public:
    explicit Choice(const Invocation& invocation)
        : topic_(invocation.text("--topic")), key_(invocation.text("--key")) {
        const bool by_id = invocation.has("ID");
        const bool some = !topic_.empty() || !key_.empty();
        const bool all = invocation.has("--all");
        if (by_id + some + all != 1) {
            throw InvalidError("say which messages: an ID, --topic and --key, or --all");
        }
        if (by_id) id_ = EventId::parse(invocation.text("ID"));
    }

    DeadLetterFilter filter() const { return {.id = id_, .topic = topic_, .key = key_}; }

    /// Calls `act`, which treats a limited number, until it finds nothing more.
    template <class Act>
    std::vector<EventId> each(const Act& act) const {
        std::vector<EventId> all;
        for (;;) {
            const std::vector<EventId> some = act(filter());
            all.insert(all.end(), some.begin(), some.end());
            if (some.size() < filter().limit) break;
        }
        if (id_ && all.empty()) fail_not_parked(*id_);
        return all;
    }

private:
    std::optional<EventId> id_;
    std::string topic_;
    std::string key_;
};

template <class Act>
ExitCode treat(Invocation& invocation, const char* action, const Act& act) {
    const Choice choice{invocation};
    DeadLetters letters{invocation.open_store()};
    const bool dry_run = invocation.has("--dry-run");
    const auto ids =
        dry_run ? letters.dry_run(choice.filter())
                : choice.each([&](const DeadLetterFilter& filter) { return act(letters, filter); });
    Listing listing{invocation.output(), {"id", "action", "done"}};
    for (const EventId& id : ids) {
        listing.add({{"id", id.to_string()}, {"action", action}, {"done", !dry_run}});
    }
    return ExitCode::ok;
}

ExitCode replay(Invocation& invocation) {
    return treat(invocation, "replay", [](DeadLetters& letters, const DeadLetterFilter& filter) {
        return letters.replay(filter);
    });
}

ExitCode discard(Invocation& invocation) {
    const std::string reason = invocation.text("--reason");
    return treat(invocation, "discard", [&](DeadLetters& letters, const DeadLetterFilter& filter) {
        return letters.discard(filter, reason);
    });
}

std::vector<Option> choice_options() {
    return {{.name = "ID", .help = "The message"},
            topic_option,
            key_option,
            {.name = "--all", .help = "All that are parked", .takes = Takes::nothing},
            {.name = "--dry-run",
             .help = "Only say which ones it would be, up to 1000",
             .takes = Takes::nothing}};
}

}  // namespace

Group outbox_group() {
    auto discard_options = choice_options();
    discard_options.push_back(
        {.name = "--reason", .help = "Why; it stays on record", .required = true});
    return {"outbox",
            "Messages on their way, and those that could not be delivered",
            {{.name = "list",
              .help = "List what has not been delivered yet",
              .options = {topic_option, key_option, limit_option},
              .run = list},
             {.name = "stats", .help = "Count what waits, and for what", .run = stats},
             {.name = "parked",
              .help = "List the dead letters",
              .options = {topic_option, key_option, limit_option},
              .run = parked},
             {.name = "show",
              .help = "Show one dead letter with all that is known about it",
              .options = {{.name = "ID", .help = "The message", .required = true}},
              .run = show},
             {.name = "replay",
              .help = "Deliver dead letters again, in order",
              .options = choice_options(),
              .run = replay},
             {.name = "discard",
              .help = "Give dead letters up, so that what waits behind them goes on",
              .options = std::move(discard_options),
              .run = discard}}};
}

}  // namespace daybook::command
