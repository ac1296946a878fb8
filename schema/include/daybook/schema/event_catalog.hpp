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

/// What an upcaster makes of an old event.
struct UpcastEvent {
    /// Takes the text of `json` at once. `event_type.name` must outlive the UpcastEvent.
    UpcastEvent(EventType event_type, const nlohmann::json& json);
    /// The newest shape, as a struct.
    template <Event E>
    UpcastEvent(const E& event) : type(E::type) {
        Codec<E>::encode(event, data);
    }

    EventType type;
    std::string data;  ///< JSON
};

/// Turns the payload of one old event into 0..n newer ones. Must depend on nothing else, and be
/// callable from several threads at once.
using Upcaster = std::function<std::vector<UpcastEvent>(const nlohmann::json& data)>;

/// An event after upcasting; owns its text.
struct Upcasted {
    std::string name;
    int version = 1;
    std::string data;
};

/// Which events a program knows, and how old ones become them while they are read. What is stored
/// never changes.
///
///     EventCatalog catalog;
///     catalog.add<Opened, Deposited>();
///     catalog.upcast({"account.deposited", 1}, {{"account.deposited", 2}},
///                    [](const nlohmann::json& old) -> std::vector<UpcastEvent> {
///                        return {Deposited{.cents = old.at("euros").get<int>() * 100}};
///                    });
///
/// Filled first, then shared: its const functions may be called from any thread.
class EventCatalog {
public:
    /// Registers the events' names, each with the version this program writes. The same again is
    /// fine; another version of a known name throws InvalidError.
    template <Event... Events>
    EventCatalog& add() {
        (add(Events::type), ...);
        return *this;
    }
    EventCatalog& add(EventType current);

    /// Old events of exactly `from` (name and version) are replaced by what `upcaster` makes of
    /// them; each result is upcast again until nothing applies. `produces` lists every type that
    /// it can give; an empty list drops the event. Throws InvalidError if `from` has an upcaster
    /// already or is a current version, or if events would be upcast in a circle.
    EventCatalog& upcast(EventType from, const std::vector<EventType>& produces, Upcaster upcaster);

    bool has_upcasters() const noexcept { return !rules_.empty(); }
    /// Does not allocate.
    bool needs_upcast(std::string_view name, int version) const noexcept;

    /// Appends to `out` what the event is today: itself if nothing applies, else 0..n others.
    /// Throws CorruptError if `data` is not JSON or not what the upcaster expects, InvalidError
    /// if the upcaster gives a type that it did not announce.
    void upcast(std::string_view name, int version, std::string_view data,
                std::vector<Upcasted>& out) const;

    /// All names under which events are stored that may today be called `name`, itself included,
    /// sorted. Who wants only events of `name` has to read these, upcast, and keep what fits.
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
