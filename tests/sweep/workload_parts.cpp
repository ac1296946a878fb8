#include <chrono>

#include "workload.hpp"

// The read models, the saga and the consumers of the workload.

namespace daybook::test {

using namespace std::chrono_literals;

namespace {

std::string upsert(std::string_view table) {
    return "INSERT INTO " + std::string(table) +
           "(stream, n, total) VALUES(?, 1, ?) ON CONFLICT(stream) DO UPDATE SET n = n + 1, "
           "total = " +
           std::string(table) + ".total + excluded.total";
}

struct SqlSums : Projection<SqlSums, Did, Handled> {
    static constexpr std::string_view name = model_names[0];
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE sums(stream TEXT PRIMARY KEY, n INTEGER NOT NULL, total INTEGER NOT NULL);";

    void on(const Recorded<Did>& event, View& view) { put(event.stream(), event->delta, view); }
    void on(const Recorded<Handled>& event, View& view) { put(event.stream(), 1, view); }

private:
    static void put(std::string_view stream, std::int64_t delta, View& view) {
        static const std::string statement = upsert(name);
        view.exec(statement, stream, delta);
    }
};

struct InlineSums : Projection<InlineSums, Did, Handled> {
    static constexpr std::string_view name = model_names[2];
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE sums_inline(stream TEXT PRIMARY KEY, n INTEGER NOT NULL, "
        "total INTEGER NOT NULL);";

    void on(const Recorded<Did>& event, View& view) { put(event.stream(), event->delta, view); }
    void on(const Recorded<Handled>& event, View& view) { put(event.stream(), 1, view); }

private:
    static void put(std::string_view stream, std::int64_t delta, View& view) {
        static const std::string statement = upsert(name);
        view.exec(statement, stream, delta);
    }
};

struct SumsRow {
    std::string stream;
    std::int64_t n = 0;
    std::int64_t total = 0;
    static constexpr auto fields() {
        return daybook::fields("stream", &SumsRow::stream, "n", &SumsRow::n, "total",
                               &SumsRow::total);
    }
};

struct KeyedSums : KeyedProjection<KeyedSums, SumsRow, Did, Handled> {
    static constexpr std::string_view name = model_names[1];
    static constexpr int version = 1;
    void on(const Recorded<Did>& event, SumsRow& row) {
        ++row.n;
        row.total += event->delta;
    }
    void on(const Recorded<Handled>&, SumsRow& row) {
        ++row.n;
        ++row.total;
    }
};

struct Trip {
    std::uint64_t request = 0;
    static constexpr auto fields() { return daybook::fields("request", &Trip::request); }
};

template <class Event>
void append_effect(Transaction& tx, std::uint64_t request) {
    tx.append(StreamName{"effect-" + std::to_string(request)}, any_version, {Event{request}});
}

}  // namespace

void add_models(ProjectionRunner& models) {
    models.add(SqlSums{});
    models.add(KeyedSums{});
    models.add(InlineSums{}, Lifecycle::inline_);
}

SagaDefinition trip() {
    return saga<Trip>("trip", 1)
        .starts_on<Started>([](const Started& event) { return Trip{event.request}; })
        .step("hold")
        .send("desk", [](const Trip& trip) { return Hold{trip.request}; })
        .on<Held>()
        .timeout(24h)
        .undo([](const Trip& trip) { return Release{trip.request}; })
        .undone_on<Released>()
        .step("book")
        .send("desk", [](const Trip& trip) { return Book{trip.request}; })
        .on<Booked>()
        .fails_on<Refused>()
        .timeout(24h)
        .pivot()
        .build();
}

void add_consumers(LocalTransport& transport) {
    transport.consumer("notes").on<Note>([](const Note& note, Transaction& tx) {
        tx.append(StreamName{"handled-" + std::to_string(note.request % 2)}, any_version,
                  {Handled{note.request}});
    });
    transport.consumer("desk")
        .on<Hold>([](const Hold& command, const Message& message, Transaction& tx) {
            append_effect<Held>(tx, command.request);
            reply(tx, message, Held{command.request});
        })
        .on<Release>([](const Release& command, const Message& message, Transaction& tx) {
            append_effect<Released>(tx, command.request);
            reply(tx, message, Released{command.request});
        })
        .on<Book>([](const Book& command, const Message& message, Transaction& tx) {
            if (goes_back(command.request)) {
                reply(tx, message, Refused{command.request});
                return;
            }
            append_effect<Booked>(tx, command.request);
            reply(tx, message, Booked{command.request});
        });
}

}  // namespace daybook::test
