#include "report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <thread>

#include <sys/vfs.h>

#include "floor.h"

namespace bench {

namespace {

std::string format_number(const char* format, double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

// 1234567 as `1,234,567`.
std::string grouped(double value) {
    std::string digits = format_number("%.0f", value);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string ratio_text(double ratio) { return format_number(ratio < 10 ? "%.2f" : "%.1f", ratio); }

std::string goal_text(const Goal& goal) {
    return (goal.sense == Goal::Sense::at_least ? ">= " : "<= ") + ratio_text(goal.ratio);
}

std::string_view verdict(const Measured& measured) {
    const auto& goal = measured.comparison.goal;
    if (!goal) return "-";
    if (goal->met_by(measured.ratio.median)) return "goal";
    return goal->first().met_by(measured.ratio.median) ? "first" : "below";
}

using Line = std::array<std::string, 10>;

Line line_of(const Measured& measured) {
    const auto& goal = measured.comparison.goal;
    return {measured.id,
            measured.comparison.title,
            grouped(measured.value) + " " + measured.unit,
            measured.against_name + " " + grouped(measured.against_value),
            ratio_text(measured.ratio.median),
            ratio_text(measured.ratio.min) + " - " + ratio_text(measured.ratio.max),
            goal ? goal_text(*goal) : "-",
            goal ? goal_text(goal->first()) : "-",
            std::string{verdict(measured)},
            measured.durability.empty() ? "-" : measured.durability};
}

std::string cpu_model() {
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown processor";
}

std::string file_system(const std::string& directory) {
    constexpr long ext = 0xef53;
    constexpr long xfs = 0x58465342;
    constexpr long btrfs = static_cast<long>(0x9123683e);
    constexpr long overlay = 0x794c7630;
    struct statfs about{};
    if (statfs(directory.c_str(), &about) != 0) return "unknown file system";
    switch (static_cast<long>(about.f_type)) {
        case ext: return "ext4";
        case xfs: return "xfs";
        case btrfs: return "btrfs";
        case overlay: return "overlay";
        default: return format_number("file system %.0f", static_cast<double>(about.f_type));
    }
}

// Escapes quotes and backslashes: the texts of this program hold nothing else to escape.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

}  // namespace

std::string surroundings(const std::string& directory) {
    std::string out = "SQLite ";
    out += floor_sqlite_version();
    out += ", compiler " __VERSION__ ", ";
    out += std::to_string(std::thread::hardware_concurrency()) + " cores, " + cpu_model() + ", ";
    return out + file_system(directory);
}

void print_table(std::ostream& out, std::span<const Measured> comparisons) {
    std::vector<Line> lines{{"id", "figure", "Daybook", "against", "ratio", "min - max", "goal",
                             "first", "verdict", "durability"}};
    for (const auto& measured : comparisons) lines.push_back(line_of(measured));
    std::array<std::size_t, std::tuple_size_v<Line>> widths{};
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], line[i].size());

    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const bool left_aligned = i < 2 || i > 7;
            const std::string padding(widths[i] - line[i].size(), ' ');
            text += left_aligned ? line[i] + padding : padding + line[i];
            text += "  ";
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    }
    out << "\nratio: median over the rounds of Daybook divided by what it is measured against.\n"
           "first: 0.75 of the goal. verdict: goal, first (met only that) or below.\n";
}

void print_json(std::ostream& out, const Measured& measured) {
    const auto number = [](double value) { return format_number("%.6g", value); };
    const auto& goal = measured.comparison.goal;
    out << R"({"id":)" << quoted(measured.id) << R"(,"figure":)"
        << quoted(measured.comparison.title) << R"(,"unit":)" << quoted(measured.unit)
        << R"(,"value":)" << number(measured.value) << R"(,"against":)"
        << quoted(measured.against_name) << R"(,"against_value":)" << number(measured.against_value)
        << R"(,"ratio":)" << number(measured.ratio.median) << R"(,"ratio_min":)"
        << number(measured.ratio.min) << R"(,"ratio_max":)" << number(measured.ratio.max)
        << R"(,"rounds":)" << measured.rounds << R"(,"goal":)"
        << (goal ? quoted(goal_text(*goal)) : "null") << R"(,"first":)"
        << (goal ? quoted(goal_text(goal->first())) : "null") << R"(,"verdict":)"
        << quoted(verdict(measured)) << R"(,"durability":)"
        << (measured.durability.empty() ? "null" : quoted(measured.durability)) << "}\n";
}

}  // namespace bench
