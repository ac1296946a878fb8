#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <string>

#include "commands.hpp"
#include "daybook/command/progress.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/migrate.hpp"
#include "daybook/eventstore/mirror.hpp"
#include "json_text.hpp"

namespace daybook::command {

namespace {

using Takes = Option::Takes;

/// How often a mirror's line is drawn anew.
constexpr std::chrono::milliseconds look_interval{200};

std::size_t batch_of(const Invocation& invocation) {
    const std::uint64_t events = count_of(invocation, "--batch");
    if (events == 0) throw InvalidError("--batch: a transaction has at least 1 event");
    return static_cast<std::size_t>(events);
}

std::int64_t rate_of(std::uint64_t events, double seconds) {
    return seconds > 0 ? std::llround(static_cast<double>(events) / seconds) : 0;
}

Json migrated_json(const EventStore& from, const EventStore& to, const MigrationResult& result) {
    const double seconds = std::chrono::duration<double>(result.took).count();
    Json rows = Json::object();
    for (const auto& [table, count] : result.rows) rows[table] = count;
    return {{"from", from.uri()},
            {"to", to.uri()},
            {"events", result.events},
            {"copied", result.copied},
            {"seconds", seconds},
            {"per_second", rate_of(result.copied, seconds)},
            {"source_hash", text_or_null(result.source_hash)},
            {"target_hash", text_or_null(result.target_hash)},
            {"rows", std::move(rows)},
            {"rebuild", result.rebuild}};
}

ExitCode run_migrate(Invocation& invocation) {
    const std::size_t batch = batch_of(invocation);
    const EventStore from = invocation.open_store_at(invocation.text("--from"));
    const EventStore to = invocation.open_store_at(invocation.text("--to"), IfMissing::create);
    MigrationResult result;
    {
        Progress progress{invocation.output(), "migrate"};
        MigrationOptions options{.batch_max = batch, .stop = invocation.stop()};
        options.progress = [&](const MigrationProgress& now) {
            progress.update(now.done, now.total, to_string(now.phase));
        };
        result = migrate(from, to, options);
    }
    invocation.committed("the store is migrated to '" + to.uri() + "', with " +
                         std::to_string(result.events) + " events, and compared");
    invocation.output().record(migrated_json(from, to, result));
    if (result.rebuild.empty()) return ExitCode::ok;
    std::string note =
        "read models were not copied; rebuild them on the target with the program "
        "that defines them:";
    for (const std::string& name : result.rebuild) note += " " + name;
    invocation.output().note(note);
    return ExitCode::ok;
}

Json mirror_json(const std::string& name, const MirrorStatus& status) {
    return {{"name", name},
            {"state", to_string(status.state)},
            {"position", status.position.value()},
            {"head", status.head.value()},
            {"lag", status.lag()},
            {"stored", status.stored},
            {"dropped", status.dropped},
            {"per_second", std::llround(status.per_second)},
            {"last_error", text_or_null(status.last_error)}};
}

/// Until it is told to stop, or the mirror halts.
void watch(const Mirror& mirror, Progress& progress, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    while (!stop.stop_requested()) {
        const MirrorStatus status = mirror.status();
        if (status.state == MirrorState::halted) return;
        progress.update(status.position.value(), status.head.value(), to_string(status.state));
        stopped.wait_for(lock, stop, look_interval, [] { return false; });
    }
}

ExitCode run_mirror(Invocation& invocation) {
    const std::size_t batch = batch_of(invocation);
    const std::string name = invocation.text("--name");
    const std::stop_token stop = invocation.stop();
    const EventStore from = invocation.open_store_at(invocation.text("--from"));
    const EventStore to = invocation.open_store_at(invocation.text("--to"), IfMissing::create);
    Mirror mirror{from,
                  to,
                  {.name = name,
                   .batch_max = batch,
                   .queued_events_max = std::max(4 * batch, MirrorOptions{}.queued_events_max)}};
    if (invocation.has("--once")) {
        mirror.run_once(stop);
    } else {
        invocation.output().note("mirroring '" + from.uri() + "' to '" + to.uri() +
                                 "' until Ctrl-C");
        Progress progress{invocation.output(), name};
        mirror.start();
        watch(mirror, progress, stop);
        mirror.stop();
    }
    const MirrorStatus status = mirror.status();
    const auto failure = mirror.failure();
    if (!failure) {
        invocation.committed("the mirror has stored " + std::to_string(status.stored) + " events");
    }
    invocation.output().record(mirror_json(name, status));
    if (failure) std::rethrow_exception(failure);
    return ExitCode::ok;
}

Option from_option() {
    return {.name = "--from", .help = "The store to read", .value = "URI", .required = true};
}

Option to_option() {
    return {.name = "--to",
            .help = "The store to write; made if it is not there",
            .value = "URI",
            .required = true};
}

Option batch_option(const char* fallback) {
    return {.name = "--batch",
            .help = "How many events to store together",
            .takes = Takes::number,
            .fallback = fallback};
}

}  // namespace

Subcommand migrate_command() {
    return {.name = "migrate",
            .help = "Move a store to another place or engine, and compare the two",
            .options = {from_option(), to_option(), batch_option("5000")},
            .run = run_migrate};
}

Subcommand mirror_command() {
    return {.name = "mirror",
            .help = "Keep a second store up to date until Ctrl-C",
            .options = {from_option(),
                        to_option(),
                        {.name = "--name",
                         .help = "Its checkpoint in the target: one for each source",
                         .fallback = "mirror"},
                        {.name = "--once",
                         .help = "Only copy what is there now",
                         .takes = Takes::nothing},
                        batch_option("1000")},
            .run = run_mirror};
}

}  // namespace daybook::command
