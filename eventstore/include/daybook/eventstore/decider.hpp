#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "daybook/eventstore/repository.hpp"

namespace daybook {

/// The functional alternative to AggregateRoot: decisions as pure functions over a plain state.
///
///     struct Cart {
///         using Events = EventList<ItemAdded, CheckedOut>;
///         struct State { int items = 0; bool open = true; };
///
///         static Events decide(const State& cart, const CheckOut&) {
///             if (cart.items == 0) throw std::domain_error{"the cart is empty"};
///             return {CheckedOut{}};                       // or {} if there is nothing to say
///         }
///         static void evolve(State& cart, const ItemAdded&) { ++cart.items; }
///         static void evolve(State& cart, const CheckedOut&) { cart.open = false; }
///     };
///
/// One `decide` for each command, one `evolve` for each event; `static State initial()` if the
/// state before the first event is not `State{}`. An `evolve` may also take the state by value and
/// return the next one.
template <class D>
concept Decider = requires {
    typename D::Events;
    typename D::State;
} && (std::default_initializable<typename D::State> || requires {
                      { D::initial() } -> std::convertible_to<typename D::State>;
                  });

namespace detail {

template <class D>
typename D::State initial_state() {
    if constexpr (requires { D::initial(); }) {
        return D::initial();
    } else {
        return typename D::State{};
    }
}

template <class D, class State, class E>
concept EvolvesByValue = requires(State& state, const E& event) {
    { D::evolve(std::move(state), event) } -> std::convertible_to<State>;
};

template <class D, class Events = typename D::Events>
struct DeciderAccess;

template <class D, class... Es>
struct DeciderAccess<D, EventList<Es...>> {
    using Owner = D;
    using State = typename D::State;

    template <class E>
    static void apply(void* untyped, std::string_view data) {
        auto& state = *static_cast<State*>(untyped);
        E event{};
        Codec<E>::decode(data, event);
        if constexpr (EvolvesByValue<D, State, E>) {
            state = D::evolve(std::move(state), event);
        } else {
            D::evolve(state, event);
        }
    }
    static constexpr std::array<FoldStep, sizeof...(Es)> steps{FoldStep{Es::type, &apply<Es>}...};
    static void begin(FoldSlot<State>& slot, const StreamName&) {
        slot.emplace(initial_state<D>());
    }
};

/// A command is what `D::decide` takes, or a function from the state to events.
template <class D, class Command>
typename D::Events decide(const typename D::State& state, const Command& command) {
    if constexpr (std::invocable<const Command&, const typename D::State&>) {
        return command(state);
    } else {
        return D::decide(state, command);
    }
}

}  // namespace detail

/// Something that `CommandHandler<D>` can handle.
template <class Command, class D>
concept CommandOf = requires(const typename D::State& state, const Command& command) {
    { command(state) } -> std::convertible_to<typename D::Events>;
} || requires(const typename D::State& state, const Command& command) {
    { D::decide(state, command) } -> std::convertible_to<typename D::Events>;
};

/// A stream's state and its version (0 if nothing is stored).
template <class D>
struct Evolved {
    typename D::State state;
    Version version;
};

/// The result of a command.
template <class D>
struct Handled {
    typename D::State state;    ///< with the new events applied
    typename D::Events events;  ///< the decision; may be empty
    Position position;  ///< of the stream's newest event; a read model that has reached it includes
                        ///< this write
    Version version;
};

/// Loads a stream's state, decides, and appends the events of the decision.
///
///     CommandHandler<Cart> carts{store};
///     carts.handle("cart-1", CheckOut{});
///     carts.handle("cart-1", [](const Cart::State& cart) {
///         return Cart::decide(cart, CheckOut{});
///     });
///
/// A stream that does not exist has the initial state. Otherwise it works like Repository: the same
/// errors, options, and use within a transaction. Thread-safe.
template <Decider D>
class CommandHandler {
public:
    using State = typename D::State;
    using Options = RepositoryOptionsFor<State>;

    explicit CommandHandler(EventStore store, Options options = {})
        : core_(std::move(store), detail::fold_type<detail::DeciderAccess<D>>, options) {}

    Evolved<D> load(const StreamName& stream) const {
        auto [state, at] = folded(stream);
        return {*std::move(state), at.version};
    }
    Evolved<D> load(Transaction& tx, const StreamName& stream) const {
        auto [state, at] = folded(tx, stream);
        return {*std::move(state), at.version};
    }

    /// On a conflict it loads and decides again, as often as the options allow, then throws
    /// ConflictError.
    template <CommandOf<D> Command>
    Handled<D> handle(const StreamName& stream, const Command& command,
                      const SaveOptions& options = {}) {
        std::optional<Handled<D>> handled;
        core_.retry([&] {
            auto [state, at] = folded(stream);
            typename D::Events events = decided(stream, *state, at, command);
            SaveResult saved;
            auto conflict = core_.try_save({stream, &*state, at, events.span()}, options, saved);
            if (!conflict) {
                handled = {*std::move(state), std::move(events), saved.position, saved.version};
            }
            return conflict;
        });
        return *std::move(handled);
    }
    template <CommandOf<D> Command>
    Handled<D> handle(Transaction& tx, const StreamName& stream, const Command& command,
                      const SaveOptions& options = {}) {
        auto [state, at] = folded(tx, stream);
        typename D::Events events = decided(stream, *state, at, command);
        const auto saved = core_.save(tx, {stream, &*state, at, events.span()}, options);
        return {*std::move(state), std::move(events), saved.position, saved.version};
    }

    /// Takes a snapshot now, regardless of the options.
    void snapshot(const StreamName& stream)
        requires Snapshottable<State>
    {
        auto [state, at] = folded(stream);
        core_.snapshot({stream, &*state, at, {}});
    }

private:
    struct Folded {
        detail::FoldSlot<State> state;
        detail::FoldPoint at;
    };
    template <class... From>
    Folded folded(From&... from) const {
        Folded folded;
        folded.at = core_.load(from..., &folded.state);
        return folded;
    }
    template <class Command>
    typename D::Events decided(const StreamName& stream, State& state, const detail::FoldPoint& at,
                               const Command& command) const {
        typename D::Events events = detail::decide<D>(std::as_const(state), command);
        detail::apply_new(core_.type(), &state, stream, at.version, events.span());
        return events;
    }

    detail::RepositoryCore core_;
};

}  // namespace daybook
