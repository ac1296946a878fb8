#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/event_store.hpp"

// What Daybook's own folders may do with a store or a transaction, and programs may not.

namespace daybook::detail {

Engine& engine_of(const EventStore& store) noexcept;

/// Fills one page with upcast events, for callers that page through the log themselves and need
/// `page.scanned_to` to count the events that a filter drops. The page may be empty before
/// `at_end`.
void read_page(const EventStore& store, const PageRequest& request, EventPage& page);
void read_page(Transaction& transaction, const PageRequest& request, EventPage& page);
/// A page of the store's pool. It returns to the pool with the last pointer and keeps its memory.
std::shared_ptr<EventPage> borrow_page(const EventStore& store);

/// EventStore::query without the check of statements: they are Daybook's own.
void query_store(const EventStore& store, const std::function<void(Sql&)>& read);
/// Transaction::sql without the check of statements: it may change the store's own tables.
Sql& store_sql(Transaction& transaction) noexcept;

/// EventStore::identity, read over `store`: the SQL of a reader or of a transaction.
EventId store_identity(Sql& store);

/// Appends to streams that are reserved for Daybook (see StreamName::is_reserved). The payload is
/// not compared with `payload_bytes_max`: a saga's journal has a limit of its own.
AppendResult append_reserved(Transaction& transaction, const StreamName& stream,
                             ExpectedVersion expected, std::span<const NewEvent> events);
/// Transaction::append_recorded that may also append to reserved streams.
std::size_t append_whole_log(Transaction& transaction, const RecordedBatch& batch);

}  // namespace daybook::detail
