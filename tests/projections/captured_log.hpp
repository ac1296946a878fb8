#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "daybook/eventstore/event_store.hpp"

namespace bank {

/// Collects the log lines of a store.
class CapturedLog {
public:
    daybook::StoreOptions options() {
        daybook::StoreOptions options;
        options.log = [this](daybook::LogLevel, std::string_view text) {
            const std::scoped_lock lock{mutex_};
            text_ += std::string(text) + '\n';
        };
        return options;
    }
    bool has(std::string_view part) const {
        const std::scoped_lock lock{mutex_};
        return text_.find(part) != std::string::npos;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

}  // namespace bank
