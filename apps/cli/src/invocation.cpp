#include "daybook/command/invocation.hpp"

#include <charconv>
#include <cstdlib>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "invocation_parts.hpp"
#include "terminal_text.hpp"

namespace daybook::command {

namespace {

const Given& find(const GivenOptions& given, std::string_view option) {
    const auto found = given.find(option);
    if (found == given.end()) {
        throw std::logic_error("this command has no option '" + std::string(option) + "'");
    }
    return found->second;
}

LogSink notes_sink(std::ostream& notes) {
    return [&notes](LogLevel level, std::string_view text) {
        if (level < LogLevel::warning) return;
        std::string line{to_string(level)};
        line += ": ";
        line += terminal_text(text);
        line += '\n';
        notes << line;
    };
}

}  // namespace

bool Invocation::has(std::string_view option) const { return find(parts_.given, option).present; }

std::string Invocation::text(std::string_view option) const {
    const Given& given = find(parts_.given, option);
    return given.values.empty() ? given.option->fallback : given.values.back();
}

std::int64_t Invocation::number(std::string_view option) const {
    const std::string digits = text(option);
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

std::vector<std::string> Invocation::texts(std::string_view option) const {
    return find(parts_.given, option).values;
}

EventStore Invocation::open_store(IfMissing if_missing, const Clock* clock) {
    if (parts_.store.empty()) {
        throw InvalidError("no store is named: give --store PATH or set DAYBOOK_STORE");
    }
    return open_store_at(parts_.store, if_missing, clock);
}

EventStore Invocation::open_store_at(const std::string& uri, IfMissing if_missing,
                                     const Clock* clock) {
    StoreOptions options = parts_.program.store;
    if (clock != nullptr) options.clock = clock;
    if (!options.log) options.log = notes_sink(output().notes());
    options.create = false;
    try {
        return EventStore::open(uri, options);
    } catch (const NotFoundError&) {
        if (if_missing == IfMissing::fail) throw;
    }
    options.create = true;
    EventStore store = EventStore::open(uri, options);
    output().note("created the store " + store.uri());
    return store;
}

std::uint64_t count_of(const Invocation& invocation, std::string_view option) {
    const std::int64_t number = invocation.number(option);
    if (number < 0) {
        throw InvalidError(std::string(option) + " counts something: it cannot be negative");
    }
    return static_cast<std::uint64_t>(number);
}

std::string actor_of(const Invocation& invocation) {
    std::string actor = invocation.text("--by");
    if (!actor.empty()) return actor;
    const char* const user = std::getenv("USER");
    return user != nullptr && *user != '\0' ? user : "operator";
}

std::string reason_of(const Invocation& invocation) {
    std::string reason = invocation.text("--reason");
    if (reason.find_first_not_of(" \t\r\n") == std::string::npos) {
        throw InvalidError("--reason is empty: say why, for it stays on record");
    }
    return reason;
}

std::string given_text(const Invocation& invocation, std::string_view option) {
    std::string text = invocation.text(option);
    if (text.empty() && invocation.has(option)) {
        throw InvalidError(std::string(option) + " is empty: give a value, or leave it out");
    }
    return text;
}

Output& Invocation::output() noexcept { return parts_.output; }

void Invocation::committed(std::string what) { parts_.committed = std::move(what); }

std::stop_token Invocation::stop() {
    if (!parts_.stop_signal) parts_.stop_signal.emplace();
    return parts_.stop_signal->token();
}

}  // namespace daybook::command
