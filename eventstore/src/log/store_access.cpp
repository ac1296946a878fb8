#include "daybook/eventstore/store_access.hpp"

#include <utility>
#include <variant>

#include "log/store_core.hpp"

namespace daybook::detail {

/// A friend of EventStore and of Transaction.
struct StoreAccess {
    static StoreCore& core(const EventStore& store) noexcept { return *store.core_; }
    static StoreCore& core(const Transaction& transaction) noexcept { return transaction.store_; }
    static WriteTransaction& engine(Transaction& transaction) noexcept {
        return transaction.engine_;
    }
    static AppendOutcome append(Transaction& transaction, const StreamName& stream,
                                ExpectedVersion expected, std::span<const NewEvent> events) {
        return transaction.store_events(stream, expected, events);
    }
    static std::size_t append(Transaction& transaction, const RecordedBatch& batch) {
        return transaction.store_recorded(batch);
    }
};

Engine& engine_of(const EventStore& store) noexcept { return *StoreAccess::core(store).engine; }

void read_page(const EventStore& store, const PageRequest& request, EventPage& page) {
    StoreAccess::core(store).read_page(request, page);
}
void read_page(Transaction& transaction, const PageRequest& request, EventPage& page) {
    StoreAccess::core(transaction).read_page(request, page, &StoreAccess::engine(transaction));
}

std::shared_ptr<EventPage> borrow_page(const EventStore& store) {
    return StoreAccess::core(store).pages->borrow();
}

void query_store(const EventStore& store, const std::function<void(Sql&)>& read) {
    StoreAccess::core(store).query_unchecked(read);
}
Sql& store_sql(Transaction& transaction) noexcept { return StoreAccess::engine(transaction).sql(); }

EventId store_identity(Sql& store) {
    EventId identity;
    store.each("SELECT id FROM daybook_store", [&](const SqlRow& row) { identity = row.id(0); });
    if (identity.is_nil()) {
        throw CorruptError("the table daybook_store is empty: restore the store from a backup");
    }
    return identity;
}

AppendResult append_reserved(Transaction& transaction, const StreamName& stream,
                             ExpectedVersion expected, std::span<const NewEvent> events) {
    AppendOutcome outcome = StoreAccess::append(transaction, stream, expected, events);
    if (auto* conflict = std::get_if<Conflict>(&outcome)) throw ConflictError(std::move(*conflict));
    return std::get<AppendResult>(outcome);
}

std::size_t append_whole_log(Transaction& transaction, const RecordedBatch& batch) {
    return StoreAccess::append(transaction, batch);
}

}  // namespace daybook::detail
