#include <algorithm>
#include <set>

#include "daybook/core/error.hpp"
#include "daybook/core/fingerprint.hpp"
#include "daybook/projections/lifecycle.hpp"
#include "daybook/projections/projection_definition.hpp"
#include "daybook/projections/projection_status.hpp"

namespace daybook {

std::string ProjectionShape::fingerprint() const {
    std::vector<std::string> sorted = events;
    std::sort(sorted.begin(), sorted.end());
    // No part contains a NUL, so two different shapes never give the same text.
    std::string text = name + '\0' + schema + '\0' + indexes;
    for (const std::string& event : sorted) text += '\0' + event;
    return daybook::fingerprint(text);
}

void ProjectionShape::check() const {
    const auto refuse = [this](const std::string& why) {
        throw InvalidError("projection '" + name + "': " + why);
    };
    bool good = !name.empty() && name.size() <= name_bytes_max && name.front() != '.';
    for (const char c : name) {
        const bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        good = good && (word || c == '_' || c == '-' || c == '.');
    }
    if (!good) {
        refuse("a name is 1 to 100 letters, digits, '_', '-' and '.', and begins with no '.'");
    }
    if (version < 1) refuse("versions begin at 1");
    if (schema.empty()) refuse("it has no schema: give it the statements that make its tables");
    if (events.empty()) refuse("it handles no events");
    if (std::set<std::string>(events.begin(), events.end()).size() != events.size()) {
        refuse("it names an event twice");
    }
}

std::string_view to_string(Lifecycle lifecycle) noexcept {
    return lifecycle == Lifecycle::inline_ ? "inline" : "async";
}

std::string_view to_string(ProjectionState state) noexcept {
    switch (state) {
        case ProjectionState::absent: return "absent";
        case ProjectionState::active: return "active";
        case ProjectionState::retrying: return "retrying";
        case ProjectionState::halted: return "halted";
        case ProjectionState::outdated: return "outdated";
        case ProjectionState::superseded: return "superseded";
    }
    return "";
}

std::string_view to_string(RebuildPhase phase) noexcept {
    switch (phase) {
        case RebuildPhase::claimed: return "claimed";
        case RebuildPhase::applying: return "applying";
        case RebuildPhase::indexing: return "indexing";
        case RebuildPhase::finishing: return "finishing";
        case RebuildPhase::catching_up: return "catching up";
        case RebuildPhase::switching_over: return "switching over";
        case RebuildPhase::done: return "done";
    }
    return "";
}

}  // namespace daybook
