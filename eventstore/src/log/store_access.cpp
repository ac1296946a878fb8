#include "daybook/eventstore/store_access.hpp"

#include <utility>
#include <variant>

#include "log/store_core.hpp"

namespace daybook::detail {

/// The friend of both classes.
struct StoreAccess {
    static StoreCore& core(const EventStore& store) noexcept { return *store.core_; }
    static StoreCore& core(const Transaction& unit) noexcept { return unit.store_; }
    static WriteTransaction& engine(Transaction& unit) noexcept { return unit.engine_; }
    static AppendOutcome append(Transaction& unit, const StreamName& stream,
                                ExpectedVersion expected, std::span<const NewEvent> events) {
        return unit.store_events(stream, expected, events);
    }
    static std::size_t append(Transaction& unit, const RecordedBatch& batch) {
        return unit.store_recorded(batch);
    }
};

Engine& engine_of(const EventStore& store) noexcept { return *StoreAccess::core(store).engine; }

void read_page(const EventStore& store, const PageRequest& request, EventPage& page) {
    StoreAccess::core(store).read_page(request, page);
}
void read_page(Transaction& unit, const PageRequest& request, EventPage& page) {
    StoreAccess::core(unit).read_page(request, page, &StoreAccess::engine(unit));
}

std::shared_ptr<EventPage> borrow_page(const EventStore& store) {
    return StoreAccess::core(store).pages->borrow();
}

void query_store(const EventStore& store, const std::function<void(Sql&)>& look) {
    StoreAccess::core(store).query_unchecked(look);
}
Sql& store_sql(Transaction& unit) noexcept { return StoreAccess::engine(unit).sql(); }

EventId store_identity(Sql& store) {
    EventId identity;
    store.each("SELECT id FROM daybook_store", [&](const SqlRow& row) { identity = row.id(0); });
    if (identity.is_nil()) {
        throw CorruptError("the table daybook_store is empty: restore the store from a backup");
    }
    return identity;
}

AppendResult append_reserved(Transaction& unit, const StreamName& stream, ExpectedVersion expected,
                             std::span<const NewEvent> events) {
    AppendOutcome outcome = StoreAccess::append(unit, stream, expected, events);
    if (auto* conflict = std::get_if<Conflict>(&outcome)) throw ConflictError(std::move(*conflict));
    return std::get<AppendResult>(outcome);
}

std::size_t append_whole_log(Transaction& unit, const RecordedBatch& batch) {
    return StoreAccess::append(unit, batch);
}

}  // namespace daybook::detail
