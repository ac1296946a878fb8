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

/// The events that one kind of stream is made of; as an object, a list of new ones of these types.
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
    /// The list as the store takes it.
    std::span<const NewEvent> span() const noexcept { return events_; }
    std::span<NewEvent> span() noexcept { return events_; }

private:
    std::vector<NewEvent> events_;
};

/// `E` is one of the events that `T` (an aggregate or a decider) is made of.
template <class E, class T>
concept EventOf = T::Events::template lists<E>;

// How the compiled part sees whatever is folded from a stream: a name, the events it knows, and
// what each does to a state of unknown type. Aggregates and deciders are both told in these terms
// and share everything below them.
namespace detail {

/// What one type of event does to a state.
struct FoldStep {
    EventType type;
    void (*apply)(void* state, std::string_view data);
};

/// Something that is folded from a stream. A `slot` is the place where a state is made.
struct FoldType {
    std::string_view name;  ///< of the C++ type
    std::span<const FoldStep> steps;
    /// Makes the state before the first event, in place of what the slot held.
    void* (*restart)(void* slot, const StreamName& stream);

    // Only of states that can be encoded, otherwise null.
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
    Version snapshot;   ///< that of the newest snapshot that is known to be there
    std::chrono::nanoseconds load_time{};
};

/// Where a state of type `T` is made.
template <class T>
using FoldSlot = std::optional<T>;

/// `Fold` has the Owner that the user wrote, its State, `steps`, and `begin(slot, stream)`.
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

/// One for each `Fold`.
template <class Fold>
inline constexpr FoldType fold_type = make_fold_type<Fold>();

/// What `type` does with an event. Throws InvalidError naming the event, its place, the type and
/// the remedy if it does not know it.
const FoldStep& step_for(const FoldType& type, std::string_view event, int schema_version,
                         std::string_view stream, Version version);

/// Applies events that are not stored yet: the first one becomes `version.next()`.
void apply_new(const FoldType& type, void* state, const StreamName& stream, Version version,
               std::span<const NewEvent> events);

}  // namespace detail
}  // namespace daybook
