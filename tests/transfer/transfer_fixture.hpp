#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/eventstore/eventstore.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

// The test data that is moved, and how the tests read it afterwards.

namespace transfer_test {

using namespace daybook;
using daybook::test::numbered;

/// A temporary file for a store on SQLite, whatever engine is under test: the other end of the
/// transfer.
class SqliteLocation {
public:
    EventStore open(StoreOptions options = {}) const {
        return EventStore::open(directory_.file("store.db"), std::move(options));
    }

private:
    daybook::test::TemporaryDirectory directory_;
};

/// All of an event that a migration must keep, as text that doctest prints.
inline std::string line_of(EventView event) {
    const EventRow& row = event.row();
    return std::to_string(row.position.value()) + ' ' + std::string(row.stream) + ' ' +
           std::to_string(row.version.value()) + ' ' + row.type->name + ' ' +
           std::to_string(row.type->version) + ' ' + to_iso8601(row.recorded_at) + ' ' +
           row.id.to_string() + ' ' + row.correlation.to_string() + ' ' +
           row.causation.to_string() + ' ' + std::string(row.data) + ' ' +
           std::string(row.metadata);
}

inline std::vector<std::string> log_of(const EventStore& store) {
    std::vector<std::string> lines;
    for (const EventView event : store.read_all()) lines.push_back(line_of(event));
    return lines;
}

inline std::string hash_of(const EventStore& store) {
    return hash_log(store, store.head()).value();
}

/// Appends events of every kind, in transactions of every kind, to `streams` streams. Returns the
/// head.
inline Position append_events(EventStore& store, int transactions, int streams = 7) {
    for (int i = 0; i < transactions; ++i) {
        const auto number = static_cast<std::uint64_t>(i);
        const std::string stream = "thing-" + std::to_string(i % streams);
        NewEvent plain = numbered(number);
        NewEvent rich{EventType::checked("thing.told", 2), R"({"text":"häppchen","n":1.50})"};
        rich.metadata = R"({"by":"ada"})";
        rich.trace = {EventId::from_name(stream), plain.id};
        if (i % 3 == 0) {
            store.append(stream, any_version, {plain, rich, numbered(number)});
        } else if (i % 3 == 1) {
            store.append(stream, any_version, {rich});
        } else {
            store.transact([&](Transaction& tx) {
                tx.append(stream, any_version, {plain, numbered(number)});
                tx.append("other-1", any_version, {rich});
                tx.append(stream, any_version, {numbered(number)});
            });
        }
    }
    return store.head();
}

/// Adds rows to all tables of work that waits. The sequence numbers of the outbox have holes.
inline void add_waiting(EventStore& store) {
    const EventId id = EventId::generate();
    store.transact([&](Transaction& tx) {
        for (int i = 0; i < 250; ++i) {
            const OutgoingMessage message{"warehouse",
                                          EventType::checked("stock.reserve", 1),
                                          "{\"n\":" + std::to_string(i) + "}",
                                          {.key = "k" + std::to_string(i % 3)}};
            tx.publish(message);
            tx.mark_handled("mailer", EventId::from_name(std::to_string(i)));
        }
        Sql& db = detail::store_sql(tx);
        db.exec("DELETE FROM daybook_outbox WHERE sequence < ?", 11);
        db.exec(
            "UPDATE daybook_outbox SET attempts = 3, retry_at = ?, last_error = ? WHERE sequence = "
            "20",
            parse_iso8601("2026-02-03"), "timed out");
        db.exec(
            "INSERT INTO daybook_snapshot(stream, aggregate, fingerprint, version, event, state, "
            "taken_at) VALUES('thing-1', 'Thing', 'f', 3, ?, '{}', 17)",
            id);
        db.exec(
            "INSERT INTO daybook_dead_letter(number, id, topic, key, partition, type, "
            "schema_version, "
            "data, headers, reply_to, created_at, due_at, attempts, reason, error, receiver, "
            "parked_by, parked_at) VALUES(7, ?, 't', 'k', 1, 'a.b', 1, '{}', '', '', 1, 2, 8, "
            "'exhausted', 'no', 'r', 'relay', 3)",
            id);
        db.exec(
            "INSERT INTO daybook_saga(definition, key, generation, version, hash, status, "
            "journal_version, updated_at) VALUES('fulfil', '7', 1, 1, 'h', 'running', 4, 5)");
        db.exec(
            "INSERT INTO daybook_saga_timer(definition, key, kind, generation, hash, due_at) "
            "VALUES('fulfil', '7', 'deadline', 1, 'h', 99)");
        db.exec("INSERT INTO daybook_saga_start(definition, position) VALUES('fulfil', 12)");
    });
}

/// The rows of a table without the column `hidden`, sorted by `order`.
inline std::vector<std::string> rows_of(const EventStore& store, const std::string& table,
                                        const std::string& order, std::string_view hidden = {}) {
    std::vector<std::string> rows;
    store.query([&](Sql& sql) {
        std::string columns;
        for (const std::string& column : sql.columns(table)) {
            if (column != hidden) columns += (columns.empty() ? "" : ", ") + column;
        }
        sql.each(
            "SELECT " + columns + " FROM " + table + " ORDER BY " + order, [&](const SqlRow& row) {
                std::string line;
                for (int i = 0; i < row.columns(); ++i) {
                    const SqlValue value = row.value(i);
                    const auto* bytes = std::get_if<SqlValue::Bytes>(&value.data());
                    line += bytes != nullptr ? row.id(i).to_string() : std::string(row.text(i));
                    line += row.is_null(i) ? "NULL|" : "|";
                }
                rows.push_back(line);
            });
    });
    return rows;
}

}  // namespace transfer_test
