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
    const OutboxFilter filter{.topic = topic,
                              .key = key,
                              .limit = count_of(invocation, "--limit"),
                              .with_data = invocation.output().json()};
    const EventStore store = invocation.open_store();
    Listing listing{invocation.output(),
                    {"id", "topic", "key", "type", "attempts", "waits_for", "until", "last_error"}};
    outbox_each(store, filter,
                [&](const WaitingMessage& waiting) { listing.add(waiting_json(waiting)); });
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
    const DeadLetterFilter filter{.topic = topic,
                                  .key = key,
                                  .limit = count_of(invocation, "--limit"),
                                  .with_data = invocation.output().json()};
    const DeadLetters letters{invocation.open_store()};
    Listing listing{
        invocation.output(),
        {"id", "topic", "key", "type", "reason", "attempts", "holds", "parked_at", "error"}};
    letters.each(filter, [&](const DeadLetter& letter) { listing.add(dead_letter_json(letter)); });
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
        : topic_(given_text(invocation, "--topic")), key_(given_text(invocation, "--key")) {
        const bool by_id = invocation.has("ID");
        const bool some = !topic_.empty() || !key_.empty();
        const bool all = invocation.has("--all");
        if (by_id + some + all != 1) {
            throw InvalidError("say which messages: an ID, --topic and --key, or --all");
        }
        if (by_id) id_ = EventId::parse(invocation.text("ID"));
    }

    DeadLetterFilter filter() const { return {.id = id_, .topic = topic_, .key = key_}; }

    /// What was named has to be there.
    void require_some(std::size_t found) const {
        if (found > 0) return;
        if (id_) fail_not_parked(*id_);
        if (topic_.empty() && key_.empty()) return;
        throw NotFoundError("no message of" + (topic_.empty() ? "" : " topic '" + topic_ + "'") +
                            (key_.empty() ? "" : " key '" + key_ + "'") +
                            " is parked: `outbox parked` lists those that are");
    }

private:
    std::optional<EventId> id_;
    std::string topic_;
    std::string key_;
};

/// Calls `act`, which treats a limited number, until it finds nothing more. Those that it refuses
/// stay, so that the last call, which meets no others, throws for them.
template <class Act>
ExitCode treat(Invocation& invocation, const char* action, const Act& act) {
    const Choice choice{invocation};
    DeadLetters letters{invocation.open_store()};
    const bool dry_run = invocation.has("--dry-run");
    Listing listing{invocation.output(), {"id", "action", "done"}};
    std::size_t done = 0;
    for (bool more = true; more;) {
        Replayed treated;
        try {
            treated = dry_run ? Replayed{.ids = letters.dry_run(choice.filter())}
                              : act(letters, choice.filter());
        } catch (const NotFoundError&) {
            if (done == 0) throw;
        }
        done += treated.ids.size();
        if (!dry_run && done > 0) {
            invocation.committed(std::string(action) + " of " + std::to_string(done) +
                                 (done == 1 ? " message" : " messages"));
        }
        for (const EventId& id : treated.ids) {
            listing.add({{"id", id.to_string()}, {"action", action}, {"done", !dry_run}});
        }
        more =
            !dry_run && (treated.ids.size() == choice.filter().limit || !treated.refused.empty());
    }
    choice.require_some(done);
    return ExitCode::ok;
}

ExitCode replay(Invocation& invocation) {
    return treat(invocation, "replay", [](DeadLetters& letters, const DeadLetterFilter& filter) {
        return letters.replay(filter);
    });
}

ExitCode discard(Invocation& invocation) {
    const std::string reason = reason_of(invocation);
    return treat(invocation, "discard", [&](DeadLetters& letters, const DeadLetterFilter& filter) {
        return Replayed{.ids = letters.discard(filter, reason)};
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
