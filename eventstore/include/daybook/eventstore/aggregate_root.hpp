#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/eventstore/fold.hpp"

namespace daybook {

template <class Derived, Event... Es>
class AggregateRoot;

namespace detail {
template <class A>
struct AggregateAccess;
}

/// The base of all aggregates: the stream, the version it was loaded at, and the events raised
/// since.
class AggregateBase {
public:
    const StreamName& id() const noexcept { return id_; }
    /// The stored version that this object was loaded at or saved as; 0 if nothing is stored.
    Version version() const noexcept { return at_.version; }
    /// The events that were raised and are not stored yet, in order.
    std::span<const NewEvent> pending() const noexcept { return pending_; }

private:
    template <class Derived, Event... Es>
    friend class AggregateRoot;
    template <class A>
    friend struct detail::AggregateAccess;

    explicit AggregateBase(StreamName id) : id_(std::move(id)) {}

    StreamName id_;
    std::vector<NewEvent> pending_;
    detail::FoldPoint at_;
};

/// An object that keeps its own rules. Its public methods decide and `raise` events; only the
/// private `on` functions change the state. The events are listed in the base: raising another one,
/// or leaving out an `on`, does not compile.
///
///     class Account : public AggregateRoot<Account, Opened, Deposited, Withdrawn> {
///     public:
///         using AggregateRoot::AggregateRoot;
///         void withdraw(std::int64_t cents) {
///             if (cents > balance_) throw std::domain_error{"insufficient funds"};
///             raise(Withdrawn{cents});
///         }
///
///     private:
///         friend AggregateRoot;
///         void on(const Opened&) {}
///         void on(const Deposited& event) { balance_ += event.cents; }
///         void on(const Withdrawn& event) { balance_ -= event.cents; }
///         std::int64_t balance_ = 0;
///     };
///
/// `Derived` is constructed from a StreamName. It is a value: nothing is stored until a Repository
/// saves it. `on` must not raise events and must not throw: its event has happened. Not
/// thread-safe.
template <class Derived, Event... Es>
class AggregateRoot : public AggregateBase {
public:
    using Events = EventList<Es...>;

    explicit AggregateRoot(StreamName id) : AggregateBase(std::move(id)) {}

protected:
    /// Applies `event` and adds it to the pending events, which the next save stores.
    template <OneOf<Es...> E>
    void raise(const E& event) {
        NewEvent kept{event};
        static_cast<Derived&>(*this).on(event);
        pending_.push_back(std::move(kept));
    }

private:
    friend struct detail::AggregateAccess<Derived>;

    template <class E>
    static void apply(void* state, std::string_view data) {
        E event{};
        Codec<E>::decode(data, event);
        static_cast<Derived*>(state)->on(event);
    }
    static constexpr std::array<detail::FoldStep, sizeof...(Es)> steps{
        detail::FoldStep{Es::type, &apply<Es>}...};
};

namespace detail {

/// Gives the repository access to an aggregate's private members.
template <class A>
struct AggregateAccess {
    using Owner = A;
    using State = A;
    static constexpr std::span<const FoldStep> steps = A::steps;
    static void begin(FoldSlot<A>& slot, const StreamName& stream) { slot.emplace(stream); }

    static FoldPoint& at(A& aggregate) noexcept { return aggregate.at_; }
    static const FoldPoint& at(const A& aggregate) noexcept { return aggregate.at_; }
    static std::vector<NewEvent>& pending(A& aggregate) noexcept { return aggregate.pending_; }
};

}  // namespace detail
}  // namespace daybook
