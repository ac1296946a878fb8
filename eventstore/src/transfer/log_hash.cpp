#include "daybook/eventstore/log_hash.hpp"

#include "daybook/core/error.hpp"
#include "daybook/core/fingerprint.hpp"
#include "daybook/eventstore/store_access.hpp"

namespace daybook {

// The text that is hashed is the hash value before it, then the fields below in their order.
// Numbers are 8 bytes, the lowest first; a text has its length before it; ids are 16 bytes.

void LogHash::add(EventView event) {
    const EventRow& row = event.row();
    const auto add_id = [&](const EventId& id) {
        for (const std::uint8_t byte : id.bytes()) link_ += static_cast<char>(byte);
    };
    link_ = value_;
    add_number(row.position.value());
    add_text(row.stream);
    add_number(row.version.value());
    add_text(row.type->name);
    add_number(static_cast<std::uint64_t>(row.type->version));
    add_number(static_cast<std::uint64_t>(row.recorded_at.time_since_epoch().count()));
    add_id(row.id);
    add_id(row.correlation);
    add_id(row.causation);
    add_text(row.data);
    add_text(row.metadata);
    value_ = fingerprint(link_);
    ++events_;
}

void LogHash::add_number(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) link_ += static_cast<char>(number >> shift);
}

void LogHash::add_text(std::string_view text) {
    add_number(text.size());
    link_ += text;
}

LogHash hash_log(const EventStore& store, Position until, const HashProgress& progress,
                 const std::stop_token& stop) {
    LogHash hash;
    EventPage page;
    PageRequest request{.from = 1};
    while (request.from <= until.value()) {
        if (stop.stop_requested()) {
            throw CancelledError("reading the log of '" + store.uri() + "' was stopped");
        }
        PooledReader { detail::engine_of(store) } -> read(request, page);
        for (const EventRow& row : page.rows) {
            if (row.position <= until) hash.add(EventView{row});
        }
        if (progress) progress(hash.events());
        if (page.at_end) break;
        request.from = page.next_from;
    }
    return hash;
}

}  // namespace daybook
