#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/eventstore/snapshot.hpp"

namespace daybook {

/// The event types of one kind of stream. An object of it is a list of new events of these types.
///
///     using Events = EventList<ItemAdded, CheckedOut>;
///     Events both{ItemAdded{"pen"}, CheckedOut{}};  // any other event does not compile
template <Event... Es>
class EventList {
    class Item {
    public:
        template <OneOf<Es...> E>
        Item(const E& event) : event_(event) {}
        const NewEvent& event() const noexcept { return event_; }

    private:
        NewEvent event_;
    };

public:
    template <class E>
    static constexpr bool lists = OneOf<E, Es...>;

    EventList() = default;
    EventList(std::initializer_list<Item> items) {
        events_.reserve(items.size());
        for (const Item& item : items) events_.push_back(item.event());
    }
    template <OneOf<Es...> E>
    EventList(const E& event) {
        add(event);
    }

    template <OneOf<Es...> E>
    void add(const E& event) {
        events_.emplace_back(event);
    }

    std::size_t size() const noexcept { return events_.size(); }
    bool empty() const noexcept { return events_.empty(); }
    auto begin() noexcept { return events_.begin(); }
    auto end() noexcept { return events_.end(); }
    auto begin() const noexcept { return events_.begin(); }
    auto end() const noexcept { return events_.end(); }
    /// The list in the form that the store's functions take.
    std::span<const NewEvent> span() const noexcept { return events_; }
    std::span<NewEvent> span() noexcept { return events_; }

private:
    std::vector<NewEvent> events_;
};

/// `E` is one of the events of `T`, an aggregate or a decider.
template <class E, class T>
concept EventOf = T::Events::template lists<E>;

// The compiled core folds states without their C++ types: it has a name, a list of events, and a
// function for each that changes the state. Aggregates and deciders are both described this way and
// share the core.
namespace detail {

/// Applies one type of event to a state.
struct FoldStep {
    EventType type;
    void (*apply)(void* state, std::string_view data);
};

/// A type that is folded from a stream. A `slot` is the memory in which its state is constructed.
struct FoldType {
    std::string_view name;  ///< of the C++ type
    std::span<const FoldStep> steps;
    /// Constructs the state before the first event in the slot and destroys what was there.
    void* (*restart)(void* slot, const StreamName& stream);

    // Null for states that cannot be encoded.
    void (*encode)(const void* state, std::string& json) = nullptr;
    void (*decode)(std::string_view json, void* state) = nullptr;
    /// The state before the first event, as JSON.
    void (*encode_first)(std::string& json) = nullptr;
    int snapshot_version = 0;

    bool can_snapshot() const noexcept { return encode != nullptr; }
};

/// How far into its stream a state is.
struct FoldPoint {
    Version version;
    Position position;  ///< of the newest event in it
    EventId event;      ///< the same event's id
    Version snapshot;   ///< of the newest snapshot, as far as this program has seen
    std::chrono::nanoseconds load_time{};
};

/// The slot of a state of type `T`.
template <class T>
using FoldSlot = std::optional<T>;

/// `Fold` has the Owner (the user's class), its State, `steps`, and `begin(slot, stream)`.
template <class Fold>
constexpr FoldType make_fold_type() noexcept {
    using Owner = typename Fold::Owner;
    using State = typename Fold::State;
    FoldType type{cpp_name<Owner>(), Fold::steps,
                  [](void* slot, const StreamName& stream) -> void* {
                      auto& state = *static_cast<FoldSlot<State>*>(slot);
                      Fold::begin(state, stream);
                      return &*state;
                  }};
    if constexpr (Snapshottable<State>) {
        type.encode = [](const void* state, std::string& json) {
            Codec<State>::encode(*static_cast<const State*>(state), json);
        };
        type.decode = [](std::string_view json, void* state) {
            Codec<State>::decode(json, *static_cast<State*>(state));
        };
        type.encode_first = [](std::string& json) {
            FoldSlot<State> state;
            Fold::begin(state, StreamName{"first"});
            Codec<State>::encode(*state, json);
        };
        if constexpr (requires { Owner::snapshot_version; }) {
            type.snapshot_version = Owner::snapshot_version;
        }
    }
    return type;
}

/// The FoldType of each `Fold`.
template <class Fold>
inline constexpr FoldType fold_type = make_fold_type<Fold>();

/// The step of `type` for an event. Throws InvalidError, which names the event, where it is, the
/// type and the remedy, if the type does not list the event.
const FoldStep& step_for(const FoldType& type, std::string_view event, int schema_version,
                         std::string_view stream, Version version);

/// Applies events that are not stored yet. The first one gets `version.next()`.
void apply_new(const FoldType& type, void* state, const StreamName& stream, Version version,
               std::span<const NewEvent> events);

}  // namespace detail
}  // namespace daybook
