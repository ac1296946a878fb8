#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "commands.hpp"
#include "daybook/command/progress.hpp"
#include "daybook/core/error.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "projection_json.hpp"
#include "report.hpp"

namespace daybook::command {

namespace {

using Takes = Option::Takes;

void add_definitions(ProjectionRunner& runner, const Program& program) {
    if (program.projections) program.projections(runner);
}

[[noreturn]] void fail_not_defined(const Program& program, const std::string& name) {
    throw NotFoundError("projection '" + name + "' is not defined in " + program.name +
                        ": use the program that defines it");
}

void require_definitions(const ProjectionRunner& runner, const Program& program) {
    if (!runner.names().empty()) return;
    throw NotFoundError(program.name +
                        " defines no projections: use the program that defines them");
}

void require_defined(const ProjectionRunner& runner, const Program& program,
                     const std::string& name) {
    if (std::ranges::count(runner.names(), name) == 0) fail_not_defined(program, name);
}

ExitCode list(Invocation& invocation, const Program& program) {
    ProjectionRunner runner{invocation.open_store()};
    add_definitions(runner, program);
    Listing listing{invocation.output(),
                    {"name", "version", "lifecycle", "state", "lag", "defined"}};
    for (const ProjectionStatus& status : runner.status()) listing.add(status_json(status));
    return ExitCode::ok;
}

ExitCode status(Invocation& invocation, const Program& program) {
    ProjectionRunner runner{invocation.open_store()};
    add_definitions(runner, program);
    auto names = invocation.texts("NAME");
    if (names.empty()) {
        for (const ProjectionStatus& one : runner.status()) names.push_back(one.name);
    }
    Output& output = invocation.output();
    for (const std::string& name : names) {
        if (!output.json() && name != names.front()) output.line("");
        output.record(status_json(runner.status(name)));
    }
    return ExitCode::ok;
}

void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    stopped.wait(lock, stop, [] { return false; });
}

ExitCode run(Invocation& invocation, const Program& program) {
    const std::stop_token stop = invocation.stop();
    ProjectionRunner runner{invocation.open_store(), {.rebuild = {.stop = stop}}};
    add_definitions(runner, program);
    require_definitions(runner, program);
    Output& output = invocation.output();
    if (invocation.has("--once")) {
        runner.run_once();
    } else {
        runner.start();
        output.note("feeding " + std::to_string(runner.names().size()) +
                    " projections until Ctrl-C");
        wait_for(stop);
        runner.stop();
    }
    invocation.committed("the projections are fed");
    bool halted = false;
    Listing listing{output, {"name", "version", "state", "position", "lag", "last_error"}};
    for (const std::string& name : runner.names()) {
        const ProjectionStatus one = runner.status(name);
        halted = halted || one.state == ProjectionState::halted;
        listing.add(status_json(one));
    }
    return halted ? ExitCode::failure : ExitCode::ok;
}

RebuildResult rebuild_one(ProjectionRunner& runner, const std::string& name,
                          Invocation& invocation) {
    Progress progress{invocation.output(), name};
    RebuildOptions options;
    options.stop = invocation.stop();
    options.progress = [&](const RebuildProgress& now) {
        progress.update(now.position.value(), now.target.value(), to_string(now.phase));
    };
    return runner.rebuild(name, std::move(options));
}

ExitCode rebuild(Invocation& invocation, const Program& program) {
    auto names = invocation.texts("NAME");
    const bool all = invocation.has("--all");
    if (names.empty() != all) throw InvalidError("say what to rebuild: a NAME, or --all");
    ProjectionRunner runner{invocation.open_store()};
    add_definitions(runner, program);
    if (all) {
        require_definitions(runner, program);
        names = runner.names();
    }
    for (const std::string& name : names) require_defined(runner, program, name);

    // One that cannot be built does not keep the others from it.
    ExitCode code = ExitCode::ok;
    const Reporter report{program.name, invocation.output()};
    Listing listing{invocation.output(),
                    {"name", "version", "build", "position", "scanned", "took_ms"}};
    std::string rebuilt;
    for (const std::string& name : names) {
        RebuildResult result;
        try {
            result = rebuild_one(runner, name, invocation);
        } catch (const CancelledError&) {
            throw;
        } catch (const Error& error) {
            const ExitCode failed = report.error(error);
            if (code == ExitCode::ok) code = failed;
            continue;
        }
        rebuilt += (rebuilt.empty() ? "rebuilt: " : ", ") + name;
        invocation.committed(rebuilt);
        listing.add(rebuilt_json(name, result));
    }
    return code;
}

ExitCode parked(Invocation& invocation, const Program& program) {
    ProjectionRunner runner{invocation.open_store()};
    add_definitions(runner, program);
    Listing listing{invocation.output(),
                    {"position", "key", "type", "attempts", "parked_at", "error"}};
    const auto limit = static_cast<std::size_t>(count_of(invocation, "--limit"));
    for (const ParkedEvent& event : runner.parked(invocation.text("NAME"), limit)) {
        listing.add(parked_json(event));
    }
    return ExitCode::ok;
}

/// What an operator asked for has to be there: an answer of "0 events" would pass for success.
void require_some(std::uint64_t events, const std::string& name, const std::string& which) {
    if (events > 0) return;
    throw NotFoundError("projection '" + name + "' has nothing parked " + which +
                        ": `projections parked " + name + "` lists what is");
}

/// Nothing was replayed: whether there is nothing, or what there is fails again.
void require_parked_of(const ProjectionRunner& runner, const std::string& name,
                       const std::string& key) {
    const auto parked = runner.parked(name, runner.status(name).accounting.parked);
    const auto count = std::ranges::count(parked, key, &ParkedEvent::key);
    require_some(static_cast<std::uint64_t>(count), name, "of '" + key + "'");
}

std::string events_text(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " event" : " events");
}

/// What an operator does to one projection by hand, with its definition.
template <class Act>
ExitCode act_on(Invocation& invocation, const Program& program, const Act& act) {
    const std::string name = invocation.text("NAME");
    ProjectionRunner runner{invocation.open_store()};
    add_definitions(runner, program);
    require_defined(runner, program, name);
    Json done{{"name", name}};
    act(runner, name, done);
    invocation.output().record(done);
    return ExitCode::ok;
}

ExitCode replay(Invocation& invocation, const Program& program) {
    const std::string key = given_text(invocation, "--key");
    return act_on(invocation, program,
                  [&](ProjectionRunner& runner, const std::string& name, Json& done) {
                      const std::uint64_t replayed = runner.replay_parked(name, key);
                      if (replayed > 0) {
                          invocation.committed(events_text(replayed) + " replayed");
                      } else if (!key.empty()) {
                          require_parked_of(runner, name, key);
                      }
                      done["replayed"] = replayed;
                      done["parked"] = runner.status(name).accounting.parked;
                  });
}

ExitCode discard(Invocation& invocation, const Program& program) {
    DiscardParked which{.key = given_text(invocation, "--key"), .reason = reason_of(invocation)};
    if (invocation.has("--position")) which.position = count_of(invocation, "--position");
    if (which.key.empty() && !which.position) {
        throw InvalidError("say what to give up: --key, or --position");
    }
    return act_on(
        invocation, program, [&](ProjectionRunner& runner, const std::string& name, Json& done) {
            const std::uint64_t discarded = runner.discard_parked(name, which);
            require_some(discarded, name,
                         which.position ? "at position " + std::to_string(which.position->value())
                                        : "of '" + which.key + "'");
            invocation.committed(events_text(discarded) + " given up");
            done["discarded"] = discarded;
            done["parked"] = runner.status(name).accounting.parked;
        });
}

ExitCode resume(Invocation& invocation, const Program& program) {
    return act_on(invocation, program,
                  [&](ProjectionRunner& runner, const std::string& name, Json& done) {
                      runner.resume(name);
                      invocation.committed("projection '" + name + "' is resumed");
                      done["state"] = to_string(runner.status(name).state);
                  });
}

using Work = ExitCode (*)(Invocation&, const Program&);

Subcommand subcommand(const Program& program, const char* name, const char* help, Work work,
                      std::vector<Option> options) {
    return {.name = name,
            .help = help,
            .options = std::move(options),
            .run = [&program, work](Invocation& invocation) { return work(invocation, program); }};
}

}  // namespace

Group projection_group(const Program& program) {
    const Option name{.name = "NAME", .help = "The projection", .required = true};
    const Option names{.name = "NAME", .help = "The projections", .repeated = true};
    const Option limit{
        .name = "--limit", .help = "How many at most", .takes = Takes::number, .fallback = "1000"};
    return {
        "projections",
        "Read models: how far they are, feed them, build them anew",
        {subcommand(program, "list", "List the projections of the store", list, {}),
         subcommand(program, "status", "Say how far each is, and what went wrong", status, {names}),
         subcommand(
             program, "run", "Feed this program's projections until Ctrl-C", run,
             {{.name = "--once", .help = "Only apply what is there now", .takes = Takes::nothing}}),
         subcommand(
             program, "rebuild", "Build read models anew beside the old ones, then switch over",
             rebuild,
             {names,
              {.name = "--all", .help = "All that this program defines", .takes = Takes::nothing}}),
         subcommand(program, "parked", "List the events that a projection has put aside", parked,
                    {name, limit}),
         subcommand(program, "replay", "Apply parked events again, in order", replay,
                    {name, {.name = "--key", .help = "Only of this stream", .value = "K"}}),
         subcommand(program, "discard", "Give up parked events: one, or all of a stream", discard,
                    {name,
                     {.name = "--key", .help = "The stream", .value = "K"},
                     {.name = "--position", .help = "The event", .takes = Takes::number},
                     {.name = "--reason", .help = "Why; it stays on record", .required = true}}),
         subcommand(program, "resume", "Let a halted projection try again", resume, {name})}};
}

}  // namespace daybook::command
