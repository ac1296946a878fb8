#include <algorithm>
#include <string>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/spec.hpp"

namespace daybook::detail {

namespace {

std::string line(std::string_view mark, const NewEvent& event) {
    std::string text{mark};
    text.append(event.type.name);
    if (event.type.version > 1) text.append(" v").append(std::to_string(event.type.version));
    return text.append(" ").append(event.data).append("\n");
}

bool same(const NewEvent& left, const NewEvent& right) {
    return left.type == right.type && left.data == right.data;
}

std::string all(std::string_view mark, std::span<const NewEvent> events) {
    std::string text;
    for (const NewEvent& event : events) text += line(mark, event);
    return text.empty() ? std::string(mark) + "nothing\n" : text;
}

std::string outcome(const SpecRun& run) {
    return run.thrown ? "    an exception: " + error_text(run.thrown) + "\n"
                      : all("    ", run.raised);
}

[[noreturn]] void fail(const SpecRun& run, const std::string& findings) {
    throw SpecFailure("spec<" + std::string(run.subject) + "> is not met\n  given\n" +
                      all("    ", run.given) + findings);
}

/// The events line by line: the same in both, missing (-), or unexpected (+).
std::string difference(std::span<const NewEvent> expected, std::span<const NewEvent> actual) {
    std::string text;
    for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
        if (i < expected.size() && i < actual.size() && same(expected[i], actual[i])) {
            text += line("    ", actual[i]);
            continue;
        }
        if (i < expected.size()) text += line("  - ", expected[i]);
        if (i < actual.size()) text += line("  + ", actual[i]);
    }
    return text;
}

}  // namespace

void check_raised(const SpecRun& run, std::span<const NewEvent> expected) {
    if (run.thrown) {
        fail(run, "  expected\n" + all("    ", expected) + "  but got\n" + outcome(run));
    }
    if (std::ranges::equal(run.raised, expected, same)) return;
    fail(run, "  then (- expected, + raised)\n" + difference(expected, run.raised));
}

void check_thrown(const SpecRun& run, std::string_view expected, bool matches,
                  std::string_view text_part) {
    if (matches && error_text(run.thrown).find(text_part) != std::string::npos) return;
    std::string wanted = "    an exception of type " + std::string(expected);
    if (!text_part.empty()) wanted += " that says '" + std::string(text_part) + "'";
    fail(run, "  expected\n" + wanted + "\n  but got\n" + outcome(run));
}

}  // namespace daybook::detail
