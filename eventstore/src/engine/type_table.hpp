#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// The event types that this process has read from one store. Entries live as long as the table, so
/// rows can point to them. Thread-safe. The numbers are those of the process, not the ids of the
/// engine: after a rollback, an engine may give the same id to another type.
class TypeTable {
public:
    const TypeEntry* intern(std::string_view name, int version) {
        const MutexLock lock{mutex_};
        const TypeEntry*& entry = by_name_[{std::string(name), version}];
        if (entry == nullptr) {
            const auto number = static_cast<std::uint32_t>(entries_.size());
            entry = &entries_.emplace_back(TypeEntry{number, version, std::string(name)});
        }
        return entry;
    }

private:
    Mutex mutex_;
    std::deque<TypeEntry> entries_ DAYBOOK_GUARDED_BY(mutex_);
    std::map<std::pair<std::string, int>, const TypeEntry*, std::less<>> by_name_
        DAYBOOK_GUARDED_BY(mutex_);
};

}  // namespace daybook
