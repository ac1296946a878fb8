#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/projections/key_table.hpp"
#include "daybook/projections/projection.hpp"
#include "daybook/projections/row_table.hpp"

namespace daybook {

namespace detail {

template <class P, class Row, class E>
concept HandlesRow =
    requires(P& projection, const Recorded<E>& event, Row& row) { projection.on(event, row); };
template <class P, class Row, class E>
concept HandlesOptionalRow = requires(P& projection, const Recorded<E>& event,
                                      std::optional<Row>& row) { projection.on(event, row); };
template <class P, class E>
concept GivesKey = requires(P& projection, const Recorded<E>& event) { projection.key(event); };

/// Holds each row in memory while events change it, and writes it once per transaction.
template <class P, HasFields Row, Event... Events>
class KeyedFold final : public ProjectionFold {
    using Columns = RowColumns<Row>;
    using Key = typename Columns::Key;
    static constexpr bool text_key = std::same_as<Key, std::string>;
    static_assert(text_key || std::integral<Key>,
                  "the first field of a row is its key: a std::string or a whole number");

public:
    KeyedFold(P projection, const RowStatements& statements, FoldLimits limits)
        : projection_(std::move(projection)), statements_(statements), limits_(limits) {}

    void apply(std::size_t handler, EventView event, Sql& model) override {
        handlers[handler](*this, event, model);
    }

    void flush(Sql& model) override {
        std::sort(changed_.begin(), changed_.end(),
                  [this](std::uint32_t a, std::uint32_t b) { return key_at(a) < key_at(b); });
        for (const std::uint32_t slot : changed_) write(slot, model);
        changed_.clear();
        if (!gathers() || full()) {
            drop();
            all_in_memory_ = false;
        }
    }
    void forget() override {
        drop();
        all_in_memory_.reset();
    }
    bool gathers() const override { return limits_.rows_max > 0; }
    bool full() const override {
        return gathers() && (keys_.size() >= limits_.rows_max ||
                             keys_.bytes() + rows_.size() * sizeof(CachedRow) >= limits_.bytes_max);
    }

private:
    struct CachedRow {
        std::optional<Row> row;
        bool changed = false;
        bool stored = false;
    };
    using Handler = void (*)(KeyedFold&, EventView, Sql&);

    template <Event E>
    static void handle(KeyedFold& self, EventView view, Sql& model) {
        static_assert(HandlesRow<P, Row, E> || HandlesOptionalRow<P, Row, E>,
                      "a keyed projection needs for each of its events E: "
                      "void on(const Recorded<E>&, Row&), or with std::optional<Row>&");
        const Recorded<E> event{view};
        decltype(auto) key = self.key_of(event);
        const std::uint32_t slot = self.find(key, model);
        CachedRow& cached = self.rows_[slot];
        if (!cached.changed) {
            cached.changed = true;
            self.changed_.push_back(slot);
        }
        if constexpr (HandlesRow<P, Row, E>) {
            if (!cached.row) set_key(cached.row.emplace(), key);
            self.projection_.on(event, *cached.row);
        } else {
            const bool absent = !cached.row;
            self.projection_.on(event, cached.row);
            if (absent && cached.row) set_key(*cached.row, key);
        }
    }

    template <class E>
    decltype(auto) key_of(const Recorded<E>& event) {
        if constexpr (GivesKey<P, E>) {
            return projection_.key(event);
        } else {
            static_assert(text_key,
                          "a row with a number for its key needs: "
                          "Key key(const Recorded<E>&) for each event E");
            return event.stream();
        }
    }

    static void set_key(Row& row, const auto& key) {
        if constexpr (text_key) {
            Columns::key(row) = std::string_view{key};
        } else {
            Columns::key(row) = static_cast<Key>(key);
        }
    }

    std::uint32_t find(const auto& key, Sql& model) {
        KeyTable::Found found;
        if constexpr (text_key) {
            found = keys_.find_or_add(std::string_view{key});
        } else {
            const auto number = static_cast<std::int64_t>(key);
            char bytes[sizeof number];
            std::memcpy(bytes, &number, sizeof number);
            found = keys_.find_or_add({bytes, sizeof number});
        }
        if (found.added) load(rows_.emplace_back(), found.slot, model);
        return found.slot;
    }

    /// The key with the type of its column: sorted, as the database orders them, rows are written
    /// in the order of the table's key.
    auto key_at(std::uint32_t slot) const {
        if constexpr (text_key) {
            return keys_.key(slot);
        } else {
            std::int64_t number;
            std::memcpy(&number, keys_.key(slot).data(), sizeof number);
            return number;
        }
    }

    void load(CachedRow& cached, std::uint32_t slot, Sql& model) {
        // A rebuild starts with an empty table. As long as all rows fit in memory, a key that is
        // not there has no row, and no row has to be read.
        if (!all_in_memory_) {
            all_in_memory_ = gathers() && !model.integer(statements_.first).has_value();
        }
        if (*all_in_memory_) return;
        model.each(
            statements_.select,
            [&](const SqlRow& row) {
                Columns::read(row, cached.row.emplace());
                cached.stored = true;
            },
            key_at(slot));
    }

    void write(std::uint32_t slot, Sql& model) {
        CachedRow& cached = rows_[slot];
        cached.changed = false;
        if (cached.row) {
            Columns::write(*cached.row, values_);
            model.execute_later(statements_.upsert, values_);
        } else if (cached.stored) {
            model.exec_later(statements_.erase, key_at(slot));
        }
        cached.stored = cached.row.has_value();
    }

    void drop() {
        keys_.clear();
        rows_.clear();
        changed_.clear();
    }

    static constexpr std::array<Handler, sizeof...(Events)> handlers{&handle<Events>...};

    P projection_;
    const RowStatements& statements_;
    const FoldLimits limits_;
    KeyTable keys_;
    std::vector<CachedRow> rows_;  ///< by the slot of their key
    std::vector<std::uint32_t> changed_;
    std::vector<SqlValue> values_;
    /// Whether all rows of the table are in memory; nothing while that is not known.
    std::optional<bool> all_in_memory_;
};

template <class P, HasFields Row, Event... Events>
class KeyedDefinition final : public ProjectionDefinition {
public:
    explicit KeyedDefinition(P projection)
        : projection_(std::move(projection)),
          shape_(typed_shape<P, Events...>()),
          statements_(std::make_shared<RowStatements>(shape_.name, RowColumns<Row>::columns())) {
        shape_.schema = statements_->create;
    }

    const ProjectionShape& shape() const override { return shape_; }
    std::unique_ptr<ProjectionFold> fold(FoldLimits limits) const override {
        return std::make_unique<KeyedFold<P, Row, Events...>>(projection_, *statements_, limits);
    }

private:
    P projection_;
    ProjectionShape shape_;
    std::shared_ptr<const RowStatements> statements_;
};

}  // namespace detail

/// A read model of one row per key, folded in memory: each row is read and written once per
/// transaction even if many events change it, and about once in a whole rebuild. The fastest kind.
///
///     struct Balance {
///         std::string account;  // the first field is the key
///         std::int64_t cents = 0;
///         static constexpr auto fields() {
///             return daybook::fields("account", &Balance::account, "cents", &Balance::cents);
///         }
///     };
///
///     struct Balances : daybook::KeyedProjection<Balances, Balance, Opened, Deposited, Closed> {
///         static constexpr std::string_view name = "balances";
///         static constexpr int version = 1;
///
///         void on(const daybook::Recorded<Opened>&, Balance&) {}
///         void on(const daybook::Recorded<Deposited>& e, Balance& row) { row.cents += e->cents; }
///         void on(const daybook::Recorded<Closed>&, std::optional<Balance>& row) { row.reset(); }
///     };
///
/// The table has the projection's name, and the row's fields are its columns. A handler that takes
/// `Row&` gets a new row with its key set if there was none. A handler that takes
/// `std::optional<Row>&` sees whether there is a row, and may create or erase it. The key is the
/// name of the stream unless the class has `key(const Recorded<E>&)` for the event, which must
/// always return the same key for the same event. `indexes` and `errors` are as in a Projection.
template <class Derived, class Row, Event... Events>
struct KeyedProjection {
    static_assert(sizeof...(Events) > 0, "a projection handles at least one event");
    using Definition = detail::KeyedDefinition<Derived, Row, Events...>;
};

}  // namespace daybook
