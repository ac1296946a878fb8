#pragma once

#include <compare>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// An event that an upcaster returns for an old one.
struct UpcastEvent {
    /// Copies the text of `json`. `event_type.name` must outlive the UpcastEvent.
    UpcastEvent(EventType event_type, const nlohmann::json& json);
    /// The newest version, as a struct.
    template <Event E>
    UpcastEvent(const E& event) : type(E::type) {
        Codec<E>::encode(event, data);
    }

    EventType type;
    std::string data;  ///< JSON
};

/// Turns the payload of one old event into 0..n newer ones. Must depend on nothing else, and
/// must be thread-safe.
using Upcaster = std::function<std::vector<UpcastEvent>(const nlohmann::json& data)>;

/// An event after upcasting; owns its text.
struct Upcasted {
    std::string name;
    int version = 1;
    std::string data;
};

/// The events of a program, and how old versions are turned into them when they are read. Stored
/// events never change.
///
///     EventCatalog catalog;
///     catalog.add<Opened, Deposited>();
///     catalog.upcast({"account.deposited", 1}, {{"account.deposited", 2}},
///                    [](const nlohmann::json& old) -> std::vector<UpcastEvent> {
///                        return {Deposited{.cents = old.at("euros").get<int>() * 100}};
///                    });
///
/// Fill it first, then share it: its const functions are thread-safe.
class EventCatalog {
public:
    /// Registers the names of events, each with the version that this program writes. Registering
    /// the same again does nothing; another version of a registered name throws InvalidError.
    template <Event... Events>
    EventCatalog& add() {
        (add(Events::type), ...);
        return *this;
    }
    EventCatalog& add(EventType current);

    /// Replaces old events of exactly `from` (name and version) by those that `upcaster` returns.
    /// Each of these is upcast again until no upcaster applies. `produces` lists all types that it
    /// can return; an empty list drops the event. Throws InvalidError if `from` has an upcaster
    /// already or is a current version, or if events would be upcast in a circle.
    EventCatalog& upcast(EventType from, const std::vector<EventType>& produces, Upcaster upcaster);

    bool has_upcasters() const noexcept { return !rules_.empty(); }
    /// Does not allocate.
    bool needs_upcast(std::string_view name, int version) const noexcept;

    /// Appends the upcast events to `out`: the event itself if no upcaster applies, else 0..n
    /// others. Throws CorruptError if `data` is not JSON or not as the upcaster expects it,
    /// InvalidError if the upcaster returns a type that is not in its list.
    void upcast(std::string_view name, int version, std::string_view data,
                std::vector<Upcasted>& out) const;

    /// All stored names whose events may be upcast to `name`, including `name` itself, sorted. A
    /// reader of `name` has to read these, upcast, and drop the others.
    std::vector<std::string> sources_of(std::string_view name) const;

    /// The registered events by name. Valid as long as the catalog.
    std::vector<EventType> types() const;

private:
    struct Key {
        std::string name;
        int version;
    };
    struct KeyView {
        std::string_view name;
        int version;
        auto operator<=>(const KeyView&) const = default;
    };
    struct KeyLess {
        using is_transparent = void;
        static KeyView view(const Key& key) noexcept { return {key.name, key.version}; }
        static KeyView view(const KeyView& key) noexcept { return key; }
        bool operator()(const auto& left, const auto& right) const noexcept {
            return view(left) < view(right);
        }
    };
    struct Rule {
        std::vector<Key> produces;
        Upcaster upcaster;
    };
    using Rules = std::map<Key, Rule, KeyLess>;

    const Rules::value_type* find_rule(std::string_view name, int version) const noexcept;
    bool leads_to(const Key& from, KeyView target) const;

    std::map<std::string, int, std::less<>> current_;
    Rules rules_;
};

}  // namespace daybook
