#include "daybook/eventstore/log_point.hpp"

#include <charconv>

#include "daybook/core/error.hpp"
#include "values/log_check.hpp"

namespace daybook {

namespace {

constexpr std::string_view find_events =
    "SELECT position, id FROM daybook_event WHERE position IN (?, ?)";

/// Why the log is another one, as far as the identities of the stores tell.
std::string reason(const LogPoint& known, const EventId& store) {
    if (known.store.is_nil() || store.is_nil()) {
        return "it was put back from a backup, or is another store";
    }
    if (known.store == store) return "it was put back from a backup";
    return "that was store " + known.store.to_string() + ", and this is " + store.to_string();
}

}  // namespace

std::string to_string(const LogPoint& point) {
    std::string text = std::to_string(point.position.value());
    if (point.event.is_nil() && point.store.is_nil()) return text;
    return text + ' ' + point.event.to_string() + ' ' + point.store.to_string();
}

LogPoint parse_log_point(std::string_view text) {
    const std::string_view number = text.substr(0, text.find(' '));
    const std::string_view ids = text.substr(number.size());
    std::uint64_t position = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), position);
    const bool is_number =
        !number.empty() && read.ec == std::errc{} && read.ptr == number.data() + number.size();
    if (is_number && ids.empty()) return position;
    constexpr std::size_t id_length = 36;
    if (is_number && ids.size() == 2 * (id_length + 1) && ids[id_length + 1] == ' ') {
        const auto event = EventId::try_parse(ids.substr(1, id_length));
        const auto store = EventId::try_parse(ids.substr(id_length + 2));
        if (event && store) return {position, *event, *store};
    }
    throw InvalidError("'" + std::string(text.substr(0, 100)) +
                       "' is no place in a log: give what to_string has made, or a position");
}

namespace detail {

void fail_other_log(std::string_view name, const LogPoint& known, const EventId& store) {
    throw InvalidError("store '" + std::string(name) + "' does not hold event " +
                       known.event.to_string() + " at position " +
                       std::to_string(known.position.value()) +
                       ", up to which it was read before: " + reason(known, store) +
                       ": begin anew, or after a place that this log has");
}

void fail_beyond_head(std::string_view name, Position position) {
    throw InvalidError("store '" + std::string(name) + "' has no event at position " +
                       std::to_string(position.value()) +
                       ", after which it is to be read: its log ends before: begin at 0, or after "
                       "a place that this log has");
}

EventId event_at(Sql& store, Position position) {
    EventId found;
    store.each(find_events, [&](const SqlRow& row) { found = row.id(1); }, position, position);
    return found;
}

LogPoint advance_point(Sql& store, std::string_view name, const LogPoint& known, Position to) {
    EventId before;
    LogPoint point = known;
    store.each(
        find_events,
        [&](const SqlRow& row) {
            if (row.position(0) == known.position) before = row.id(1);
            if (row.position(0) == to) point = {to, row.id(1), known.store};
        },
        known.position, to);
    if (before != known.event) fail_other_log(name, known, {});
    return point;
}

}  // namespace detail

}  // namespace daybook
