#include "daybook/command/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <utility>

#include "terminal_text.hpp"

namespace daybook::command {

namespace {

constexpr std::chrono::milliseconds draw_interval{100};
constexpr std::string_view wipe = "\r\x1b[K";

std::string duration_text(double seconds) {
    const auto whole = static_cast<long long>(std::ceil(std::min(seconds, 359'999.0)));
    char text[32];
    if (whole >= 3600) {
        std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                      whole % 60);
    } else {
        std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
    }
    return text;
}

}  // namespace

Progress::Progress(Output& output, std::string label) : output_(output), label_(std::move(label)) {}

Progress::~Progress() {
    if (drawn_at_ != Clock::time_point{}) output_.notes() << wipe << std::flush;
}

void Progress::update(std::uint64_t done, std::uint64_t total, std::string_view stage) {
    if (!output_.options().live_progress) return;
    const auto now = Clock::now();
    if (!begun_) {
        begun_ = true;
        started_at_ = now;
        begun_with_ = done;
    }
    if (now - drawn_at_ < draw_interval) return;
    drawn_at_ = now;

    const double seconds = std::chrono::duration<double>(now - started_at_).count();
    const double rate =
        seconds > 0 && done > begun_with_ ? static_cast<double>(done - begun_with_) / seconds : 0;
    const std::uint64_t percent = total > 0 ? std::min<std::uint64_t>(done * 100 / total, 100) : 0;
    std::string line = label_ + "  " + std::to_string(percent) + " %  " + std::to_string(done) +
                       " of " + std::to_string(total);
    if (rate > 0) {
        line += "  " + std::to_string(std::llround(rate)) + "/s";
        if (total > done) {
            line += "  " + duration_text(static_cast<double>(total - done) / rate) + " left";
        }
    }
    if (!stage.empty()) line += "  " + std::string(stage);
    output_.notes() << wipe << terminal_text(line) << std::flush;
}

}  // namespace daybook::command
