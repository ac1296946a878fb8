#pragma once

#include <functional>
#include <string_view>

namespace daybook {

/// How serious a message to the log is.
enum class LogLevel { debug, info, warning, error };

/// The name of the level: `warning`.
std::string_view to_string(LogLevel level) noexcept;

/// Receives the messages of the library; an empty sink drops them. Called from any thread, never
/// while Daybook holds a lock. Must not throw. The text is valid only during the call.
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace daybook
