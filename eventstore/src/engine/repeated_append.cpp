#include "engine/repeated_append.hpp"

#include "daybook/core/error.hpp"

namespace daybook {

namespace {

std::optional<AppendResult> match_stored(const StreamName& stream, const NewEvent& event,
                                         const FindStored& find) {
    std::optional<AppendResult> matched;
    find(event.id, [&](const StoredEvent& stored) {
        const bool same = stored.stream == stream.str() && stored.type_name == event.type.name &&
                          stored.type_version == event.type.version && stored.data == event.data &&
                          stored.metadata == event.metadata;
        if (!same) {
            throw DuplicateError("event id " + event.id.to_string() +
                                 " is stored already with another content, at position " +
                                 std::to_string(stored.position.value()) + " in stream '" +
                                 std::string(stored.stream) + "': give the new event a new id");
        }
        matched = AppendResult{stored.position, stored.version, true};
    });
    return matched;
}

}  // namespace

std::optional<AppendResult> find_repeat(const AppendRequest& request, const FindStored& find) {
    std::optional<AppendResult> last;
    std::size_t found = 0;
    bool in_order = true;
    for (std::size_t index = 0; index < request.events.size(); ++index) {
        const auto stored = match_stored(request.stream, request.events[index], find);
        if (!stored) continue;
        in_order = in_order && found == index && (!last || stored->version == last->version.next());
        ++found;
        last = stored;
    }
    if (!last || (in_order && found == request.events.size())) return last;
    throw DuplicateError("stream '" + request.stream.str() + "': " + std::to_string(found) +
                         " of the " + std::to_string(request.events.size()) +
                         " events are stored already, but not all of them in this order: repeat "
                         "exactly what was appended, or give new events new ids");
}

}  // namespace daybook
