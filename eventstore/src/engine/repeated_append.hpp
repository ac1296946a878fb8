#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "daybook/eventstore/engine.hpp"

namespace daybook {

/// A stored event that an engine has found by its id. It is borrowed for the call.
struct StoredEvent {
    Position position;
    Version version;
    std::string_view stream;
    std::string_view type_name;
    std::int64_t type_version;
    std::string_view data;
    std::string_view metadata;
};

/// Finds an event by its id and calls the visitor with it. Does not call it if there is none.
using FindStored =
    std::function<void(const EventId& id, const std::function<void(const StoredEvent&)>& visit)>;

/// If exactly this request is stored already, returns the result of the first time. Throws
/// DuplicateError if only some of its events are stored, or an id belongs to another event.
std::optional<AppendResult> find_repeat(const AppendRequest& request, const FindStored& find);

}  // namespace daybook
