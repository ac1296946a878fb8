#pragma once

#include <concepts>
#include <exception>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "daybook/eventstore/aggregate_root.hpp"
#include "daybook/eventstore/decider.hpp"

namespace daybook {

/// Thrown by a `then` that is not met. The text shows what was given, expected and raised, as JSON.
/// An exception fails the test case in every test framework.
class SpecFailure : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

namespace detail {

/// The run of a spec, without C++ types.
struct SpecRun {
    std::string_view subject;
    std::vector<NewEvent> given;
    std::vector<NewEvent> raised;
    std::exception_ptr thrown;
};

void check_raised(const SpecRun& run, std::span<const NewEvent> expected);
void check_thrown(const SpecRun& run, std::string_view expected, bool matches,
                  std::string_view text_part);

}  // namespace detail

/// The end of a spec. Each call throws SpecFailure if it is not met.
template <class T>
class [[nodiscard]] SpecOutcome {
public:
    explicit SpecOutcome(detail::SpecRun run) : run_(std::move(run)) {}

    /// These events and no others, in this order.
    template <EventOf<T>... Expected>
    void then(const Expected&... expected) const {
        const std::vector<NewEvent> events{NewEvent{expected}...};
        detail::check_raised(run_, events);
    }
    /// No event, and no exception.
    void then_nothing() const { detail::check_raised(run_, {}); }

    /// An exception of this type, or one derived from it, whose text holds `text_part`.
    template <class Exception>
    void then_throws(std::string_view text_part = {}) const {
        bool matches = false;
        try {
            if (run_.thrown) std::rethrow_exception(run_.thrown);
        } catch (const Exception&) {
            matches = true;
        } catch (...) {
            matches = false;
        }
        detail::check_thrown(run_, detail::cpp_name<Exception>(), matches, text_part);
    }

private:
    detail::SpecRun run_;
};

/// The start of a spec; `spec<T>()` returns it.
template <class T>
class [[nodiscard]] Spec {
    using Access = std::conditional_t<std::derived_from<T, AggregateBase>,
                                      detail::AggregateAccess<T>, detail::DeciderAccess<T>>;
    using State = typename Access::State;

public:
    explicit Spec(StreamName stream) : stream_(std::move(stream)) {}

    /// The earlier events. They are encoded as JSON and folded as if they had been loaded.
    template <EventOf<T>... Given>
    Spec given(const Given&... events) && {
        (given_.emplace_back(events), ...);
        return std::move(*this);
    }

    /// The action. For an aggregate it is a function that takes the aggregate, or one without
    /// parameters that returns a new aggregate. For a decider it is a command, or a function from
    /// the state to events.
    template <class Action>
    SpecOutcome<T> when(const Action& action) && {
        detail::FoldSlot<State> state;
        Access::begin(state, stream_);
        detail::apply_new(detail::fold_type<Access>, &*state, stream_, Version{0}, given_);
        detail::SpecRun run{detail::cpp_name<T>(), std::move(given_), {}, {}};
        try {
            run.raised = events_of(*state, action);
        } catch (...) {
            run.thrown = std::current_exception();
        }
        return SpecOutcome<T>{std::move(run)};
    }

private:
    template <class Action>
    static std::vector<NewEvent> events_of(State& state, const Action& action) {
        if constexpr (!std::derived_from<T, AggregateBase>) {
            static_assert(CommandOf<Action, T>, "the decider does not decide this command");
            typename T::Events events = detail::decide<T>(std::as_const(state), action);
            return {events.begin(), events.end()};
        } else if constexpr (std::invocable<const Action&, T&>) {
            action(state);
            return std::move(Access::pending(state));
        } else {
            T created = action();
            return std::move(Access::pending(created));
        }
    }

    StreamName stream_;
    std::vector<NewEvent> given_;
};

/// A test of an aggregate or a decider in one sentence, without a store:
///
///     spec<Account>()
///         .given(Opened{"Ada"}, Deposited{50'00})
///         .when([](Account& account) { account.withdraw(60'00); })
///         .then_throws<std::domain_error>("insufficient");
///
///     spec<Cart>().given(ItemAdded{"pen"}).when(CheckOut{}).then(CheckedOut{});
template <class T>
Spec<T> spec(StreamName stream = "spec-1") {
    return Spec<T>{std::move(stream)};
}

}  // namespace daybook
