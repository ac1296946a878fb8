#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/event_store.hpp"

// What Daybook's own folders may do with a store and a unit and no program may.

namespace daybook::detail {

Engine& engine_of(const EventStore& store) noexcept;

/// Fills one page, upcast, for who goes through the log himself and counts what a filter drops
/// (`page.scanned_to`). May be empty before `at_end`.
void read_page(const EventStore& store, const PageRequest& request, EventPage& page);
void read_page(Transaction& unit, const PageRequest& request, EventPage& page);
/// A page of the store's, which goes back to it with the last pointer: pages keep their memory.
std::shared_ptr<EventPage> borrow_page(const EventStore& store);

/// EventStore::query for statements that nobody has to check.
void query_store(const EventStore& store, const std::function<void(Sql&)>& look);
/// Transaction::sql that may change the store's own tables.
Sql& store_sql(Transaction& unit) noexcept;

/// What EventStore::identity says, as seen by `store`: a reader's or a transaction's SQL.
EventId store_identity(Sql& store);

/// The way into the streams that are kept for Daybook's own (see StreamName::is_reserved). What a
/// journal holds has a limit of its own there, so `payload_bytes_max` does not count.
AppendResult append_reserved(Transaction& unit, const StreamName& stream, ExpectedVersion expected,
                             std::span<const NewEvent> events);
std::size_t append_whole_log(Transaction& unit, const RecordedBatch& batch);

}  // namespace daybook::detail
