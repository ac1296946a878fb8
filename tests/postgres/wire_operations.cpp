#include "wire_operations.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/subscription.hpp"
#include "daybook/messaging/messaging.hpp"
#include "daybook/projections/projections.hpp"
#include "daybook/sagas/sagas.hpp"
#include "numbered.hpp"
#include "patience.hpp"

namespace daybook::test {
namespace {

using namespace std::chrono_literals;
using Kind = Operation::Kind;

void expect(bool right, const char* what) {
    if (!right) throw std::logic_error(what);
}

std::string stream_of(std::uint64_t n, const char* category = "wire") {
    return std::string(category) + "-" + std::to_string(n);
}

std::vector<NewEvent> many(std::uint64_t n, int count) {
    std::vector<NewEvent> events;
    for (int i = 0; i < count; ++i) events.push_back(numbered(n));
    return events;
}

/// The id of a number.
EventId id_of(std::uint64_t n) {
    EventId::Bytes bytes{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80};
    for (std::size_t i = 0; i < 6; ++i) {
        bytes[15 - i] = static_cast<EventId::Bytes::value_type>(n >> (8 * i) & 0xFFU);
    }
    return EventId{bytes};
}

NewEvent with_id(std::uint64_t n) {
    NewEvent event = numbered(n);
    event.id = id_of(n);
    return event;
}

struct Ordered {
    static constexpr EventType type{"wire.ordered", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Ordered::n); }
};
struct Parcel {
    static constexpr EventType type{"wire.parcel", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Parcel::n); }
};
struct Answered {
    static constexpr EventType type{"wire.answered", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Answered::n); }
};

template <int Number>
struct Orders : Projection<Orders<Number>, Ordered> {
    static constexpr std::string_view name = Number == 0 ? "orders" : "inline-orders";
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        Number == 0 ? "CREATE TABLE orders(n BIGINT NOT NULL);"
                    : "CREATE TABLE inline_orders(n BIGINT NOT NULL);";
    static constexpr ErrorPolicy errors{every(std::chrono::milliseconds{0}).attempts(1'000)};
    void on(const Recorded<Ordered>& e, View& view) {
        view.exec(
            Number == 0 ? "INSERT INTO orders VALUES(?)" : "INSERT INTO inline_orders VALUES(?)",
            e->n);
    }
};

SagaDefinition parcel_saga() {
    return saga<Parcel>("wire-saga", 1)
        .starts_on<Ordered>([](const Ordered& e) { return Parcel{e.n}; })
        .on_failed("saga-ends", [](const Parcel& data) { return Parcel{data.n}; })
        .on_compensated("saga-ends", [](const Parcel& data) { return Parcel{data.n}; })
        .step("ask")
        .send("saga-asks", [](const Parcel& data) { return Parcel{data.n}; })
        .on<Answered>()
        .timeout(1ms)
        .retry(every(1ms).attempts(1))
        .read_only()
        .build();
}

class OperationList {
public:
    OperationList(EventStore opened, EventStore over_proxy)
        : direct(std::move(opened)), proxied(std::move(over_proxy)) {}

    std::vector<Operation> all() {
        add_appends();
        add_transactions();
        add_marks();
        add_reads();
        add_other_reads();
        add_leases();
        add_messaging();
        add_projections();
        add_sagas();
        return std::move(made_);
    }

private:
    using Numbered = Operation::Numbered;
    using Parts = std::function<std::int64_t(std::uint64_t)>;

    void add(Operation operation) { made_.push_back(std::move(operation)); }

    Parts version_of(const char* category = "wire") const {
        return [store = direct, category](std::uint64_t n) {
            return static_cast<std::int64_t>(store.version(stream_of(n, category)).value());
        };
    }
    Parts count(std::string statement) const {
        return [store = direct, statement = std::move(statement)](std::uint64_t n) {
            std::int64_t found = 0;
            const std::string text = "{\"n\":" + std::to_string(n) + "}";
            store.query([&](Sql& sql) { found = sql.integer(statement, text).value_or(0); });
            return found;
        };
    }
    Numbered transact(std::function<void(Transaction&, std::uint64_t)> transaction) {
        return [store = proxied, transaction = std::move(transaction)](std::uint64_t n) mutable {
            store.transact([&](Transaction& tx) { transaction(tx, n); });
        };
    }
    /// Appends `count` events before.
    Numbered given(int count) const {
        return [store = direct, count](std::uint64_t n) mutable {
            store.append(stream_of(n), any_version, many(n, count));
        };
    }

    void add_appends() {
        const auto append = [&](ExpectedVersion expected, int events) {
            return [store = proxied, expected, events](std::uint64_t n) mutable {
                store.append(stream_of(n), expected, many(n, events));
            };
        };
        add({"append one event", Kind::atomic, {}, append(any_version, 1), version_of()});
        add({"append 20 events", Kind::atomic, {}, append(any_version, 20), version_of(), 20});
        add({"append to a new stream", Kind::atomic, {}, append(no_stream, 2), version_of(), 2});
        add({"append to a stream that the writer knows", Kind::atomic,
             [store = proxied](std::uint64_t n) mutable {
                 for (const int events : {2, 2}) {
                     store.append(stream_of(n), any_version, many(n, events));
                 }
             },
             append(at_version(4), 20),
             [version = version_of()](std::uint64_t n) {
                 return std::max<std::int64_t>(version(n) - 4, 0);
             },
             20});
        add({"append a large payload",
             Kind::atomic,
             {},
             [store = proxied](std::uint64_t n) mutable {
                 NewEvent event = numbered(n);
                 event.data = "\"" + std::string(300'000, 'x') + "\"";
                 store.append(stream_of(n), any_version, {event});
             },
             version_of()});
        add({"append that conflicts", Kind::read, given(1),
             [store = proxied](std::uint64_t n) mutable {
                 const auto outcome = store.try_append(stream_of(n), no_stream, {numbered(n)});
                 const auto* conflict = std::get_if<Conflict>(&outcome);
                 expect(conflict != nullptr && conflict->actual == Version{1}, "no conflict");
             },
             version_of(), 1});
        add({"append that repeats", Kind::read,
             [store = direct](std::uint64_t n) mutable {
                 store.append(stream_of(n), no_stream, {with_id(n)});
             },
             [store = proxied](std::uint64_t n) mutable {
                 const auto done = store.append(stream_of(n), no_stream, {with_id(n)});
                 expect(done.repeated && done.version == Version{1}, "not a repeat");
             },
             version_of(), 1});
        add({"append with a used id", Kind::read,
             [store = direct](std::uint64_t n) mutable {
                 store.append(stream_of(n), no_stream, {with_id(n)});
             },
             [store = proxied](std::uint64_t n) mutable {
                 NewEvent other = with_id(n);
                 other.data = "0";
                 try {
                     store.append(stream_of(n), any_version, {other});
                 } catch (const DuplicateError&) {
                     return;
                 }
                 expect(false, "the id was used before");
             },
             version_of(), 1});
    }

    void add_transactions() {
        add({"transaction over two streams",
             Kind::atomic,
             {},
             transact([](Transaction& tx, std::uint64_t n) {
                 tx.append(stream_of(n), no_stream, many(n, 2));
                 tx.append(stream_of(n, "other"), no_stream, many(n, 3));
             }),
             [one = version_of(), two = version_of("other")](std::uint64_t n) {
                 return one(n) + two(n);
             },
             5});
        add({"transaction that reads what it wrote",
             Kind::atomic,
             {},
             transact([](Transaction& tx, std::uint64_t n) {
                 tx.append(stream_of(n), no_stream, many(n, 2));
                 expect(tx.version(stream_of(n)) == Version{2}, "version");
                 int seen = 0;
                 for (const EventView event : tx.read(stream_of(n))) {
                     seen += event.position() <= tx.head() ? 1 : 0;
                 }
                 expect(seen == 2, "events");
             }),
             version_of(),
             2});
        add({"transaction that publishes",
             Kind::atomic,
             {},
             transact([](Transaction& tx, std::uint64_t n) {
                 tx.append(stream_of(n), no_stream, many(n, 1));
                 tx.publish("nobody", Parcel{n});
             }),
             [one = version_of(),
              two = count("SELECT count(*) FROM daybook_outbox WHERE data = ?")](std::uint64_t n) {
                 return one(n) + two(n);
             },
             2});
        add({"transaction with a delayed message",
             Kind::atomic,
             {},
             transact([](Transaction& tx, std::uint64_t n) {
                 tx.publish("nobody", Parcel{n}, {.key = "k", .due_at = tx.now() + 1h});
             }),
             count("SELECT count(*) FROM daybook_outbox WHERE data = ?")});
    }

    void add_marks() {
        add({"transaction that marks a message as handled",
             Kind::atomic,
             {},
             transact([](Transaction& tx, std::uint64_t n) {
                 if (tx.mark_handled("wire", id_of(n))) {
                     tx.append(stream_of(n), no_stream, many(n, 1));
                 }
             }),
             [store = direct](std::uint64_t n) {
                 std::int64_t found = 0;
                 store.query([&](Sql& sql) {
                     found =
                         sql.integer("SELECT count(*) FROM daybook_inbox WHERE id = ?", id_of(n))
                             .value_or(0);
                 });
                 return found + static_cast<std::int64_t>(store.version(stream_of(n)).value());
             },
             2});
        add({"transaction with a snapshot",
             Kind::atomic,
             {},
             transact([](Transaction& tx, std::uint64_t n) {
                 tx.append(stream_of(n), no_stream, many(n, 1));
                 detail::store_sql(tx).exec(
                     "INSERT INTO daybook_snapshot VALUES(?, 'a', 'f', 1, ?, ?, 0)", stream_of(n),
                     id_of(n), "{\"n\":" + std::to_string(n) + "}");
             }),
             [one = version_of(),
              two = count("SELECT count(*) FROM daybook_snapshot WHERE state = ?")](
                 std::uint64_t n) { return one(n) + two(n); },
             2});
        add({"transaction that survives a conflict", Kind::atomic, given(1),
             transact([](Transaction& tx, std::uint64_t n) {
                 const auto outcome = tx.try_append(stream_of(n), no_stream, many(n, 1));
                 expect(std::holds_alternative<Conflict>(outcome), "no conflict");
                 tx.append(stream_of(n, "other"), no_stream, many(n, 1));
             }),
             version_of("other")});
        add({"transaction that is rolled back",
             Kind::read,
             {},
             [run = transact([](Transaction& tx, std::uint64_t n) {
                  tx.append(stream_of(n), no_stream, many(n, 1));
                  throw std::runtime_error("rolled back");
              })](std::uint64_t n) {
                 try {
                     run(n);
                 } catch (const Error&) {
                     throw;
                 } catch (const std::runtime_error&) {}
             },
             version_of(),
             0});
    }

    void add_read(const std::string& name, std::function<bool(EventStore&, std::uint64_t)> check) {
        add({name, Kind::read, given(3),
             [store = proxied, check = std::move(check), name](std::uint64_t n) mutable {
                 expect(check(store, n), name.c_str());
             },
             version_of(), 3});
    }

    void add_reads() {
        const auto read = [](auto&& range, std::uint64_t n) {
            int seen = 0;
            for (const EventView event : range) {
                if (event.stream() == stream_of(n)) ++seen;
            }
            return seen == 3;
        };
        add_read("read a stream", [=](EventStore& store, std::uint64_t n) {
            return read(store.read(stream_of(n)), n);
        });
        add_read("read a stream backward", [=](EventStore& store, std::uint64_t n) {
            return read(store.read(stream_of(n), {.direction = Direction::backward}), n);
        });
        add_read("read the end of the log", [=](EventStore& store, std::uint64_t n) {
            return read(store.read_all({.from = store.head().value() - 2}), n);
        });
        add_read("read the log backward", [=](EventStore& store, std::uint64_t n) {
            return read(store.read_all({.limit = 3, .direction = Direction::backward}), n);
        });
        add_read("read a category", [=](EventStore& store, std::uint64_t n) {
            return read(store.read_all(
                            {.from = store.head().value() - 2, .filter = {.categories = {"wire"}}}),
                        n);
        });
        add_read("read events of a type", [=](EventStore& store, std::uint64_t n) {
            return read(store.read_all({.from = store.head().value() - 2,
                                        .filter = {.types = {"thing.counted"}}}),
                        n);
        });
    }

    void add_other_reads() {
        add_read("version", [](EventStore& store, std::uint64_t n) {
            return store.version(stream_of(n)) == Version{3};
        });
        add_read("head", [direct = direct](EventStore& store, std::uint64_t) {
            return store.head() == direct.head();
        });
        add_read("query", [](EventStore& store, std::uint64_t n) {
            std::int64_t found = 0;
            store.query([&](Sql& sql) {
                found = sql.integer(
                               "SELECT count(*) FROM daybook_event e JOIN daybook_stream s ON s.id "
                               "= e.stream "
                               "WHERE s.name = ?",
                               stream_of(n))
                            .value_or(0);
                found += sql.integer("SELECT 1").value_or(0);
            });
            return found == 4;
        });
        add_read("wait for an append", [](EventStore& store, std::uint64_t) {
            return store.wait_beyond(store.head().value() - 1, patience());
        });
        add_read("follow", [](EventStore& store, std::uint64_t n) {
            Follower follower{store, {.after = store.head().value() - 3}};
            int seen = 0;
            while (const auto event = follower.next(0ms)) {
                seen += event->stream() == stream_of(n) ? 1 : 0;
            }
            return seen == 3;
        });
        add_read("subscribe", [direct = direct](EventStore& store, std::uint64_t n) {
            std::atomic<int> seen = 0;
            const Position head = direct.head();
            const auto subscription =
                subscribe(store, {.after = head.value() - 3},
                          [&](EventView event) { seen += event.stream() == stream_of(n) ? 1 : 0; });
            return subscription.wait_for(head, patience()) && seen == 3;
        });
        add_read("open", [](EventStore& store, std::uint64_t n) {
            return EventStore::open(store.uri(), store.options()).version(stream_of(n)) ==
                   Version{3};
        });
    }

    void add_leases() {
        const auto held = [store = direct](std::uint64_t n) {
            std::int64_t found = 0;
            store.query([&](Sql& sql) {
                found = sql.integer(
                               "SELECT count(*) FROM daybook_lease WHERE name = ? AND owner = 'me' "
                               "AND until > 3000000000000000",
                               stream_of(n))
                            .value_or(0);
            });
            return found;
        };
        const auto minute = 1min;
        static constexpr auto ages = std::chrono::hours{24 * 365 * 50};
        add({"acquire a lease",
             Kind::atomic,
             {},
             [store = proxied](std::uint64_t n) {
                 expect(Leases{store}.try_acquire(stream_of(n), "me", ages).has_value(), "held");
             },
             held});
        const auto mine = std::make_shared<Lease>();
        const Numbered acquire = [store = direct, mine, minute](std::uint64_t n) {
            *mine = Leases{store}.try_acquire(stream_of(n), "me", minute).value();
        };
        add({"renew a lease", Kind::atomic, acquire,
             [store = proxied, mine](std::uint64_t) {
                 expect(Leases{store}.renew(*mine, ages), "lost");
             },
             held});
        add({"release a lease", Kind::atomic, acquire,
             [store = proxied, mine](std::uint64_t) { Leases{store}.release(*mine); },
             [store = direct](std::uint64_t n) {
                 for (const Lease& lease : Leases{store}.list()) {
                     if (lease.name == stream_of(n)) return 0;
                 }
                 return 1;
             }});
        add({"append under a lease", Kind::atomic, acquire,
             transact([store = proxied, mine](Transaction& tx, std::uint64_t n) {
                 expect(Leases{store}.held(tx, *mine), "not held");
                 tx.append(stream_of(n), any_version, many(n, 1));
             }),
             version_of()});
    }

    void add_messaging() {
        const auto transport = std::make_shared<LocalTransport>(proxied);
        transport->consume("post", "postman", [](const Message& message, Transaction& tx) {
            const auto n = message.as<Parcel>().n;
            tx.append(stream_of(n), any_version, {numbered(n)});
        });
        transport->consume("nobody", "nobody", [](const Message&, Transaction&) {});
        RelayOptions options{.name = "wire"};
        options.retry = every(1ms).attempts(1'000);
        options.down_pause = 1ms;
        const auto relay = std::make_shared<Relay>(proxied, *transport, options);
        add({"relay a message to its consumer", Kind::steps,
             [store = direct](std::uint64_t n) mutable {
                 store.transact([&](Transaction& tx) { tx.publish("post", Parcel{n}); });
             },
             [relay, transport](std::uint64_t) {
                 while (relay->run_once() > 0) {}
             },
             [one = version_of(),
              left = count("SELECT count(*) FROM daybook_outbox WHERE data = ?")](std::uint64_t n) {
                 return one(n) - left(n);
             }});
        add({"list the outbox",
             Kind::read,
             {},
             [store = proxied](std::uint64_t) {
                 outbox_list(store);
                 outbox_status(store);
             },
             version_of(),
             0});
        add({"purge the inbox", Kind::steps,
             [store = direct](std::uint64_t n) mutable {
                 store.transact([&](Transaction& tx) { tx.mark_handled("purged", id_of(n)); });
             },
             [store = proxied](std::uint64_t) mutable {
                 purge_inbox(store, store.clock().now() + 1h);
             },
             [store = direct](std::uint64_t) {
                 std::int64_t found = 0;
                 store.query([&](Sql& sql) {
                     found = sql.integer("SELECT count(*) FROM daybook_inbox").value_or(0);
                 });
                 return found == 0 ? 1 : 0;
             }});
    }

    void add_projections() {
        const Numbered ordered = [store = direct](std::uint64_t n) mutable {
            store.append(stream_of(n, "order"), any_version, {Ordered{n}});
        };
        const auto rows = [](const EventStore& store, const char* name, const char* table) {
            return [store, name, table](std::uint64_t n) {
                std::int64_t found = 0;
                try {
                    ReadModels{store}.query(name, [&](Sql& sql) {
                        found =
                            sql.integer(
                                   std::string("SELECT count(*) FROM ") + table + " WHERE n = ?", n)
                                .value_or(0);
                    });
                } catch (const NotFoundError&) {}
                return found;
            };
        };
        const auto runner = std::make_shared<ProjectionRunner>(proxied);
        runner->add(Orders<0>{});
        add({"feed a projection", Kind::steps, ordered,
             [runner](std::uint64_t) { runner->run_once(); }, rows(direct, "orders", "orders")});
        add({"rebuild a projection", Kind::steps, ordered,
             [runner](std::uint64_t) { runner->rebuild("orders", {.lease = 250ms}); },
             rows(direct, "orders", "orders")});
        add({"query a read model", Kind::read,
             [runner, ordered, fed = rows(direct, "orders", "orders")](std::uint64_t n) {
                 ordered(n);
                 // It may still be waiting after the last fault.
                 const auto deadline = std::chrono::steady_clock::now() + patience();
                 do runner->run_once();
                 while (fed(n) == 0 && std::chrono::steady_clock::now() < deadline);
             },
             [store = proxied, rows](std::uint64_t n) {
                 expect(rows(store, "orders", "orders")(n) == 1, "not one row");
             },
             rows(direct, "orders", "orders")});
        // It has its own handle, so that appends of the other operations do not feed it.
        const EventStore fed = EventStore::open(proxied.uri(), proxied.options());
        const auto in_line = std::make_shared<ProjectionRunner>(fed);
        in_line->add(Orders<1>{}, Lifecycle::inline_);
        in_line->run_once();
        add({"append with an inline projection",
             Kind::atomic,
             {},
             [store = fed, in_line](std::uint64_t n) mutable {
                 store.append(stream_of(n, "order"), any_version, {Ordered{n}});
             },
             [version = version_of("order"),
              shown = rows(direct, "inline-orders", "inline_orders")](std::uint64_t n) {
                 return version(n) + shown(n);
             },
             2});
    }

    void add_sagas() {
        const auto orchestrator = std::make_shared<SagaOrchestrator>(proxied);
        orchestrator->add(parcel_saga());
        const Numbered run = [orchestrator](std::uint64_t) {
            while (orchestrator->run_once() > 0) {}
        };
        const auto other = std::make_shared<SagaOrchestrator>(direct);
        other->add(parcel_saga());
        const Numbered ordered = [store = direct](std::uint64_t n) mutable {
            store.append(stream_of(n, "order"), any_version, {Ordered{n}});
        };
        add({"start a saga", Kind::steps, ordered, run,
             count("SELECT count(*) FROM daybook_outbox WHERE data = ? AND topic = 'saga-asks'")});
        add({"fire a timer of a saga", Kind::steps,
             [ordered, other](std::uint64_t n) {
                 ordered(n);
                 other->run_once();
                 std::this_thread::sleep_for(3ms);
             },
             run,
             count("SELECT count(*) FROM daybook_outbox WHERE data = ? AND topic = 'saga-ends'")});
    }

    const EventStore direct;
    const EventStore proxied;
    std::vector<Operation> made_;
};

}  // namespace

std::vector<Operation> wire_operations(const EventStore& direct, const EventStore& proxied) {
    return OperationList{direct, proxied}.all();
}

}  // namespace daybook::test
