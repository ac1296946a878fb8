#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// The event types this process has met in one store. Entries live as long as the table, so that a
/// row can point at one. Thread-safe. Its numbers are the process's own: an engine's ids can come
/// to mean something else when the transaction that made them is rolled back.
class TypeTable {
public:
    const TypeEntry* intern(std::string_view name, int version);

private:
    std::mutex mutex_;
    std::deque<TypeEntry> entries_;
    std::map<std::pair<std::string, int>, const TypeEntry*, std::less<>> by_name_;
};

}  // namespace daybook
