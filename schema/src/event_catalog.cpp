#include "daybook/schema/event_catalog.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"

namespace daybook {
namespace {

std::string spell(std::string_view name, int version) {
    return "event '" + std::string(name) + "' version " + std::to_string(version);
}

}  // namespace

UpcastEvent::UpcastEvent(EventType event_type, const nlohmann::json& json) : type(event_type) {
    detail::append_dom(json, data, type.name);
}

EventCatalog& EventCatalog::add(EventType current) {
    const auto [known, added] = current_.emplace(current.name, current.version);
    if (!added && known->second != current.version) {
        throw InvalidError(spell(current.name, current.version) + ": version " +
                           std::to_string(known->second) +
                           " is registered already; one program writes one version");
    }
    if (needs_upcast(current.name, current.version)) {
        if (added) current_.erase(known);
        throw InvalidError(spell(current.name, current.version) +
                           " has an upcaster; only older versions than the current one may");
    }
    return *this;
}

EventCatalog& EventCatalog::upcast(EventType from, const std::vector<EventType>& produces,
                                   Upcaster upcaster) {
    const std::string what = spell(from.name, from.version);
    if (!upcaster) throw InvalidError(what + ": the upcaster is empty");
    if (needs_upcast(from.name, from.version)) {
        throw InvalidError(what + " has an upcaster already; make one of the two");
    }
    const auto current = current_.find(from.name);
    if (current != current_.end() && current->second == from.version) {
        throw InvalidError(what + " is the current one; only older versions are upcast");
    }
    Rule rule{{}, std::move(upcaster)};
    for (const EventType& type : produces) {
        Key key{std::string{type.name}, type.version};
        if (leads_to(key, {from.name, from.version})) {
            throw InvalidError(what + " would be upcast in a circle through " +
                               spell(type.name, type.version) + "; let upcasters only go forward");
        }
        rule.produces.push_back(std::move(key));
    }
    rules_.emplace(Key{std::string{from.name}, from.version}, std::move(rule));
    return *this;
}

bool EventCatalog::needs_upcast(std::string_view name, int version) const noexcept {
    return find_rule(name, version) != nullptr;
}

void EventCatalog::upcast(std::string_view name, int version, std::string_view data,
                          std::vector<Upcasted>& out) const {
    const auto* found = find_rule(name, version);
    if (found == nullptr) {
        out.push_back({std::string{name}, version, std::string{data}});
        return;
    }
    const Rule& rule = found->second;
    std::vector<UpcastEvent> newer;
    try {
        newer = rule.upcaster(detail::parse_dom(data, name));
    } catch (const nlohmann::json::exception& error) {
        throw CorruptError(spell(name, version) + " does not fit its upcaster: " + error.what());
    }
    for (const UpcastEvent& event : newer) {
        const auto& [type, text] = event;
        const bool announced = std::ranges::any_of(rule.produces, [&](const Key& key) {
            return key.name == type.name && key.version == type.version;
        });
        if (!announced) {
            throw InvalidError(spell(name, version) + ": its upcaster gave " +
                               spell(type.name, type.version) + ", which it does not announce");
        }
        upcast(type.name, type.version, text, out);
    }
}

std::vector<std::string> EventCatalog::sources_of(std::string_view name) const {
    std::set<std::string, std::less<>> names{std::string{name}};
    // Repeated until a round finds nothing new, because a source may have sources itself.
    for (std::size_t before = 0; before != names.size();) {
        before = names.size();
        for (const auto& [from, rule] : rules_) {
            const bool leads = std::ranges::any_of(
                rule.produces, [&](const Key& key) { return names.contains(key.name); });
            if (leads) names.insert(from.name);
        }
    }
    return {names.begin(), names.end()};
}

std::vector<EventType> EventCatalog::types() const {
    std::vector<EventType> types;
    types.reserve(current_.size());
    for (const auto& [name, version] : current_) {
        types.push_back(EventType::checked(name, version));
    }
    return types;
}

const EventCatalog::Rules::value_type* EventCatalog::find_rule(std::string_view name,
                                                               int version) const noexcept {
    const auto found = rules_.find(KeyView{name, version});
    return found == rules_.end() ? nullptr : &*found;
}

bool EventCatalog::leads_to(const Key& from, KeyView target) const {
    if (from.name == target.name && from.version == target.version) return true;
    const auto* rule = find_rule(from.name, from.version);
    return rule != nullptr && std::ranges::any_of(rule->second.produces, [&](const Key& next) {
               return leads_to(next, target);
           });
}

}  // namespace daybook
