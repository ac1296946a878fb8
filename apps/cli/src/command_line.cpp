#include "command_line.hpp"

#include <charconv>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <utility>

#include <CLI/CLI.hpp>

namespace daybook::command {

namespace {

bool is_flag_or_option(const Option& option) { return option.name.starts_with('-'); }

std::string check_number(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stopped == end ? "" : "'" + text + "' is not a whole number";
}

CLI::Option* bind(CLI::App& app, const Option& option) {
    if (option.takes == Option::Takes::nothing) return app.add_flag(option.name, option.help);
    const auto keep = [](const CLI::results_t&) { return true; };
    CLI::Option* bound = app.add_option(option.name, keep, option.help);
    bound->required(option.required);
    const bool number = option.takes == Option::Takes::number;
    if (!option.value.empty()) {
        bound->type_name(option.value);
    } else {
        bound->type_name(number ? "N" : is_flag_or_option(option) ? "TEXT" : "");
    }
    if (number) bound->check(CLI::Validator(check_number, ""));
    if (!option.fallback.empty()) bound->default_str(option.fallback);
    if (!option.repeated) {
        bound->expected(1);
    } else if (is_flag_or_option(option)) {
        bound->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
        bound->expected(1, -1)->allow_extra_args();
    }
    return bound;
}

struct BoundCommand {
    CLI::App* app;
    const Subcommand* command;
    std::vector<std::pair<const Option*, CLI::Option*>> options;
};

}  // namespace

struct CommandLine::State {
    explicit State(const Program& program);

    void add(CLI::App& parent, const Subcommand& command);
    void add(const Group& group);
    void describe(const CLI::ParseError& error, ParsedLine& line) const;

    CLI::App app;
    std::string store;
    bool json = false;
    std::deque<Subcommand> own;
    std::deque<Group> groups;
    std::vector<BoundCommand> bound;
};

CommandLine::State::State(const Program& program) : app(program.help, program.name) {
    app.require_subcommand(1);
    app.add_option("--store", store, "The store: the path of its file")
        ->type_name("PATH")
        ->envname("DAYBOOK_STORE");
    app.add_flag("--json", json, "Print one JSON object per line");
    app.set_version_flag("--version", program.name + " " + program.version);

    own = {append_command(program), read_command(),    streams_command(),
           stats_command(),         migrate_command(), mirror_command()};
    groups = {projection_group(program), outbox_group(), saga_group(program)};
    for (const Subcommand& command : program.commands) add(app, command);
    for (const Subcommand& command : own) add(app, command);
    for (const Group& group : groups) add(group);
}

void CommandLine::State::add(CLI::App& parent, const Subcommand& command) {
    CLI::App* sub = parent.add_subcommand(command.name, command.help);
    sub->fallthrough();
    sub->footer("and of every command: --store PATH, --json");
    BoundCommand entry{sub, &command, {}};
    for (const Option& option : command.options) {
        entry.options.emplace_back(&option, bind(*sub, option));
    }
    bound.push_back(std::move(entry));
}

void CommandLine::State::add(const Group& group) {
    CLI::App* sub = app.add_subcommand(group.name, group.help);
    sub->require_subcommand(1);
    sub->fallthrough();
    for (const Subcommand& command : group.commands) add(*sub, command);
}

// CLI11 says only that a subcommand is required, whatever stands in its place.
void CommandLine::State::describe(const CLI::ParseError& error, ParsedLine& line) const {
    const CLI::App* last = &app;
    std::string path = app.get_name();
    while (!last->get_subcommands().empty()) {
        last = last->get_subcommands().front();
        path += " " + last->get_name();
    }
    const auto any_command = [](const CLI::App*) { return true; };
    if (last->get_subcommands(any_command).empty()) {
        line.text = error.what();
        line.hint = "'" + path + " --help' tells what there is";
        return;
    }
    const auto others = app.remaining(true);
    line.text = others.empty() ? "'" + path + "' needs a command"
                               : "'" + path + "' has no command '" + others.front() + "'";
    line.hint = app.help();
}

CommandLine::CommandLine(const Program& program) {
    try {
        state_ = std::make_unique<State>(program);
    } catch (const CLI::ConstructionError& error) {
        throw std::logic_error(program.name + ": " + error.what());
    }
}

CommandLine::~CommandLine() = default;

ParsedLine CommandLine::parse(int argc, const char* const* argv) {
    ParsedLine line;
    try {
        state_->app.parse(argc, argv);
    } catch (const CLI::CallForVersion& version) {
        line.text = version.what();
        return line;
    } catch (const CLI::CallForHelp&) {
        line.text = state_->app.help();
        return line;
    } catch (const CLI::ParseError& error) {
        line.failed = true;
        // The option may stand behind the mistake.
        for (int i = 1; i < argc; ++i) line.json = line.json || !std::strcmp(argv[i], "--json");
        state_->describe(error, line);
        return line;
    }
    line.store = state_->store;
    line.json = state_->json;
    for (const BoundCommand& entry : state_->bound) {
        if (!entry.app->parsed()) continue;
        line.command = entry.command;
        for (const auto& [option, result] : entry.options) {
            line.given[option->name] = {option, result->count() > 0, result->results()};
        }
    }
    return line;
}

}  // namespace daybook::command
