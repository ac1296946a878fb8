#include "engine/type_table.hpp"

namespace daybook {

const TypeEntry* TypeTable::intern(std::string_view name, int version) {
    const std::scoped_lock lock{mutex_};
    const TypeEntry*& entry = by_name_[{std::string(name), version}];
    if (entry == nullptr) {
        const auto number = static_cast<std::uint32_t>(entries_.size());
        entry = &entries_.emplace_back(TypeEntry{number, version, std::string(name)});
    }
    return entry;
}

}  // namespace daybook
