#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/command/output.hpp"

namespace daybook::command {

/// How far something has come, at what rate, and how long it will take: one line on a terminal that
/// is drawn over, and nothing anywhere else.
///
///     Progress progress{output, "order_summary"};
///     while (more()) progress.update(done, total);
class Progress {
public:
    /// `output` must outlive the progress.
    Progress(Output& output, std::string label);
    ~Progress();  ///< wipes the line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Draws at most ten times a second, however often it is called. `stage` is what is being done.
    void update(std::uint64_t done, std::uint64_t total, std::string_view stage = {});

private:
    using Clock = std::chrono::steady_clock;

    Output& output_;
    std::string label_;
    Clock::time_point started_at_ = Clock::now();
    Clock::time_point drawn_at_{};
    std::uint64_t begun_with_ = 0;
    bool begun_ = false;
};

}  // namespace daybook::command
