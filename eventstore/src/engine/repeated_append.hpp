#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "daybook/eventstore/engine.hpp"

namespace daybook {

/// An event that an engine has found by its id: borrowed for the call it is given to.
struct StoredEvent {
    Position position;
    Version version;
    std::string_view stream;
    std::string_view type_name;
    std::int64_t type_version;
    std::string_view data;
    std::string_view metadata;
};

/// Looks an event up by its id and shows it to the visitor, if it is there.
using FindStored =
    std::function<void(const EventId& id, const std::function<void(const StoredEvent&)>& visit)>;

/// The result of the first time, if this very request is stored already. Throws DuplicateError if
/// only some of its ids are, or for something else.
std::optional<AppendResult> find_repeat(const AppendRequest& request, const FindStored& find);

}  // namespace daybook
