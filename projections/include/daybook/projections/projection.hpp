#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "daybook/projections/projection_definition.hpp"
#include "daybook/projections/recorded.hpp"
#include "daybook/projections/view.hpp"

namespace daybook {

namespace detail {

/// The parts of a shape that typed projections of all kinds have in common.
template <class P, Event... Events>
ProjectionShape typed_shape() {
    static_assert(
        requires { std::string_view{P::name}; },
        "a projection needs: static constexpr std::string_view name");
    static_assert(
        requires { int{P::version}; }, "a projection needs: static constexpr int version");
    ProjectionShape shape;
    shape.name = P::name;
    shape.version = P::version;
    shape.events = {std::string(Events::type.name)...};
    if constexpr (requires { P::schema; }) shape.schema = P::schema;
    if constexpr (requires { P::indexes; }) shape.indexes = P::indexes;
    if constexpr (requires { P::errors; }) shape.errors = P::errors;
    return shape;
}

template <class P, class E>
concept HandlesWithView =
    requires(P& projection, const Recorded<E>& event, View& view) { projection.on(event, view); };

template <class P, Event... Events>
class SqlFold final : public ProjectionFold {
public:
    explicit SqlFold(P projection) : projection_(std::move(projection)) {}

    void apply(std::size_t handler, EventView event, Sql& model) override {
        View view{model};
        handlers[handler](projection_, event, view);
    }

private:
    using Handler = void (*)(P&, EventView, View&);

    template <Event E>
    static void handle(P& projection, EventView event, View& view) {
        static_assert(HandlesWithView<P, E>,
                      "a projection needs for each of its events E: "
                      "void on(const Recorded<E>&, View&)");
        projection.on(Recorded<E>{event}, view);
    }

    static constexpr std::array<Handler, sizeof...(Events)> handlers{&handle<Events>...};

    P projection_;
};

template <class P, Event... Events>
class SqlDefinition final : public ProjectionDefinition {
public:
    explicit SqlDefinition(P projection)
        : projection_(std::move(projection)), shape_(typed_shape<P, Events...>()) {
        static_assert(
            requires { P::schema; },
            "a projection needs: static constexpr std::string_view schema, "
            "the statements that make its tables");
    }

    const ProjectionShape& shape() const override { return shape_; }
    std::unique_ptr<ProjectionFold> fold(FoldLimits) const override {
        return std::make_unique<SqlFold<P, Events...>>(projection_);
    }

private:
    P projection_;
    ProjectionShape shape_;
};

}  // namespace detail

/// A read model whose handlers, one for each event, write SQL.
///
///     struct Balances : daybook::Projection<Balances, Opened, Deposited> {
///         static constexpr std::string_view name = "balances";
///         static constexpr int version = 2;
///         static constexpr std::string_view schema =
///             "CREATE TABLE balances(account TEXT PRIMARY KEY, cents INTEGER NOT NULL) STRICT;";
///
///         void on(const daybook::Recorded<Opened>& e, daybook::View& view) {
///             view.exec("INSERT INTO balances(account, cents) VALUES(?, 0)", e.stream());
///         }
///         void on(const daybook::Recorded<Deposited>& e, daybook::View& view) {
///             view.exec("UPDATE balances SET cents = cents + ? WHERE account = ?", e->cents,
///                       e.stream());
///         }
///     };
///
/// `static constexpr std::string_view indexes` may hold statements that a rebuild runs faster after
/// the rows are there; `static constexpr ErrorPolicy errors` says what happens when a handler
/// fails. Raise `version` when the handlers would make other rows from the same events: the model
/// is then rebuilt. Table names that begin with `daybook_` are reserved. A model owns exactly what
/// its `schema` and `indexes` create. They must not name a schema, nor create anything temporary.
/// An inline model is refused if the store already has something of that name, even with IF NOT
/// EXISTS.
///
/// Handlers must depend on nothing but the event and the view, because they are called again after
/// a crash, after a failure and in a rebuild. Each open model has a copy of the object; a copy is
/// used by one thread at a time.
template <class Derived, Event... Events>
struct Projection {
    static_assert(sizeof...(Events) > 0, "a projection handles at least one event");
    using Definition = detail::SqlDefinition<Derived, Events...>;
};

/// A class that a ProjectionRunner takes: a Projection or a KeyedProjection.
template <class P>
concept DefinesProjection = requires(P projection) {
    typename P::Definition;
    { typename P::Definition(std::move(projection)) } -> std::derived_from<ProjectionDefinition>;
};

}  // namespace daybook
