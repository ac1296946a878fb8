#include "judge.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <sqlite3.h>

#include "sweep_size.hpp"

namespace daybook::test {

namespace {

class Judge {
public:
    Judge(const EventStore& store, const History& history, std::size_t operations)
        : store_(store), history_(history), operations_(operations) {}

    Violations run(bool complete) {
        try {
            read_log();
            check_streams();
            check_requests();
            check_reads();
            check_messages();
            check_models(complete);
            check_snapshots();
            if (complete) check_trips();
        } catch (const std::exception& error) {
            found(std::string("the check ended with: ") + error.what());
        }
        return violations_;
    }

private:
    struct Entry {
        EventId id;
        std::string stream;
        std::string type;
        std::uint64_t request = 0;
        std::int64_t delta = 0;
    };

    void found(const std::string& violation) {
        if (violations_.size() < 8) violations_.push_back(violation);
    }
    bool was_answered(const Request& request) const { return request.answered_at <= operations_; }
    void read_log();
    void record(const EventView& event, Entry& entry);
    void check_streams();
    void check_requests();
    void check_request(const Request& request);
    void check_reads();
    void check_messages();
    void check_models(bool complete);
    void check_snapshots();
    void check_trips();
    Sums fold(std::uint64_t position) const;

    const EventStore& store_;
    const History& history_;
    const std::size_t operations_;
    Violations violations_;
    std::vector<Entry> log_;
    std::map<std::string, std::vector<std::size_t>> streams_;  // indices into log_
    std::map<std::uint64_t, std::vector<Did>> requests_;
    std::map<std::uint64_t, std::size_t> last_position_;
    std::map<std::uint64_t, int> handled_;
    std::set<std::uint64_t> trips_;
    std::map<std::uint64_t, std::vector<std::string>> effects_;
};

void Judge::record(const EventView& event, Entry& entry) {
    if (event.is<Did>()) {
        const Did did = event.as<Did>();
        entry.request = did.request;
        entry.delta = did.delta;
        requests_[did.request].push_back(did);
        last_position_[did.request] = event.position().value();
    } else if (event.is<Handled>()) {
        entry.delta = 1;
        ++handled_[event.as<Handled>().request];
    } else if (event.is<Started>()) {
        trips_.insert(event.as<Started>().request);
    } else if (event.is<Held>()) {
        effects_[event.as<Held>().request].push_back("hold");
    } else if (event.is<Released>()) {
        effects_[event.as<Released>().request].push_back("release");
    } else if (event.is<Booked>()) {
        effects_[event.as<Booked>().request].push_back("book");
    }
}

void Judge::read_log() {
    std::set<EventId> ids;
    for (const EventView event : store_.read_all()) {
        const std::string at = std::to_string(event.position().value());
        if (event.position() != Position{log_.size() + 1}) {
            found("V3: position " + at + " follows " + std::to_string(log_.size()));
        }
        Entry entry{event.id(), std::string(event.stream()), std::string(event.type())};
        if (!ids.insert(entry.id).second) found("the event at " + at + " is there twice");
        record(event, entry);
        auto& stream = streams_[entry.stream];
        if (event.version() != Version{stream.size() + 1}) {
            found("V4: stream " + entry.stream + " has a hole at position " + at);
        }
        stream.push_back(log_.size());
        log_.push_back(std::move(entry));
    }
    if (store_.head() != Position{log_.size()}) found("V3: the head is not the log's end");
}

void Judge::check_streams() {
    for (const auto& [stream, indices] : streams_) {
        if (store_.version(StreamName{stream}) != Version{indices.size()}) {
            found("V4: the version of " + stream + " is not that of its last event");
        }
        std::vector<EventId> ids;
        for (const EventView event : store_.read(StreamName{stream})) ids.push_back(event.id());
        const bool same = std::ranges::equal(ids, indices, {}, {},
                                             [this](std::size_t index) { return log_[index].id; });
        if (!same) found("V4: stream " + stream + " reads otherwise than the log");
    }
}

void Judge::check_request(const Request& request) {
    const std::string name = "request " + std::to_string(request.number);
    const auto events = requests_.find(request.number);
    const bool is_there =
        request.starts_trip ? trips_.contains(request.number) : events != requests_.end();
    if (request.started_at > operations_ && is_there)
        found(name + " is there before it was started");
    if (was_answered(request) && request.verdict == Verdict::stored && !is_there) {
        found("V1: " + name + " was acknowledged and is gone");
    }
    if (was_answered(request) && request.verdict == Verdict::refused && is_there) {
        found("V2: " + name + " was refused and is there");
    }
    if (!is_there || request.starts_trip) return;
    bool whole = events->second.size() == request.events;
    for (std::size_t i = 0; whole && i < request.events; ++i) whole = events->second[i].index == i;
    if (!whole) {
        found("V2: " + name + " is there with " + std::to_string(events->second.size()) + " of " +
              std::to_string(request.events) + " events, or out of order");
    }
    if (was_answered(request) && request.verdict == Verdict::stored &&
        request.position != Position{} &&
        request.position.value() != last_position_[request.number]) {
        found("V3: " + name + " has another position than its caller got");
    }
}

void Judge::check_requests() {
    std::set<std::uint64_t> numbers;
    for (const Request& request : history_.requests) {
        check_request(request);
        numbers.insert(request.number);
    }
    for (const auto& [number, events] : requests_) {
        if (!numbers.contains(number))
            found("request " + std::to_string(number) + " is in no history");
    }
}

void Judge::check_reads() {
    const History::Read* last = nullptr;
    for (const auto& read : history_.reads) {
        if (read.at <= operations_) last = &read;
    }
    if (last == nullptr) return;
    const bool same =
        last->log.size() <= log_.size() &&
        std::equal(last->log.begin(), last->log.end(), log_.begin(),
                   [](const EventId& id, const Entry& entry) { return id == entry.id; });
    if (!same) found("V3: an event that a reader has read is no longer there");
}

void Judge::check_messages() {
    std::set<std::uint64_t> waiting;
    for (const auto& entry : outbox_list(store_, {.topic = "notes", .limit = 1'000'000})) {
        waiting.insert(entry.message.as<Note>().request);
    }
    std::set<std::uint64_t> rows;
    std::set<std::uint64_t> marks;
    std::int64_t notes_handled = 0;
    store_.query([&](Sql& sql) {
        if (!sql.columns("sweep_row").empty()) {
            sql.each("SELECT request FROM sweep_row", [&](const SqlRow& row) {
                rows.insert(static_cast<std::uint64_t>(row.integer(0)));
            });
        }
        notes_handled =
            sql.integer("SELECT count(*) FROM inbox WHERE consumer = 'notes'").value_or(0);
        for (const Request& request : history_.requests) {
            const auto mark = EventId::from_name("mark " + std::to_string(request.number));
            if (request.is_transaction &&
                sql.integer("SELECT 1 FROM inbox WHERE consumer = 'marker' AND id = ?", mark)) {
                marks.insert(request.number);
            }
        }
    });
    if (static_cast<std::size_t>(notes_handled) != handled_.size()) {
        found("V7: the inbox and the effects of notes differ");
    }
    for (const auto& [number, times] : handled_) {
        if (times != 1) found("V7: note " + std::to_string(number) + " has two effects");
    }
    for (const Request& request : history_.requests) {
        if (!request.is_transaction) continue;
        const std::string name = std::to_string(request.number);
        const bool is_there = requests_.contains(request.number);
        if (rows.contains(request.number) != is_there) found("V2: the row of request " + name);
        if (marks.contains(request.number) != is_there)
            found("V2: the inbox mark of request " + name);
        const bool sent = waiting.contains(request.number) || handled_.contains(request.number);
        if (sent != is_there) found("V7: the message of request " + name);
    }
}

Sums Judge::fold(std::uint64_t position) const {
    Sums sums;
    for (std::size_t i = 0; i < position; ++i) {
        const Entry& entry = log_[i];
        if (entry.type != Did::type.name && entry.type != Handled::type.name) continue;
        auto& [events, total] = sums[entry.stream];
        ++events;
        total += entry.delta;
    }
    return sums;
}

void Judge::check_models(bool complete) {
    const ReadModels models{store_};
    for (const std::string_view name : model_names) {
        const std::string model{name};
        try {
            Sums rows;
            models.query(name, [&](Sql& sql) {
                sql.each("SELECT stream, n, total FROM " + model, [&](const SqlRow& row) {
                    rows[std::string(row.text(0))] = {row.integer(1), row.integer(2)};
                });
            });
            const std::uint64_t position = models.accounting(name).position.value();
            if (position > log_.size()) {
                found("V6: model " + model + " is beyond the log's end");
            } else if (rows != fold(position)) {
                found("V6: model " + model + " is not the fold of the log");
            } else if (complete && position != log_.size()) {
                found("V12: model " + model + " stays behind");
            }
        } catch (const NotFoundError& error) {
            if (complete) found("V12: model " + model + ": " + error.what());
        }
    }
}

void Judge::check_snapshots() {
    const Repository<Account> accounts{store_};
    const Sums sums = fold(log_.size());
    for (const auto& [stream, indices] : streams_) {
        if (!stream.starts_with("account-")) continue;
        if (accounts.load(StreamName{stream}).sums() != sums.at(stream)) {
            found("V6: " + stream + " loads as something else than the fold of its events");
        }
    }
}

void Judge::check_trips() {
    if (outbox_status(store_).unsent() != 0) found("V12: messages are left in the outbox");
    const SagaIndex index{store_};
    for (const std::uint64_t request : trips_) {
        const std::string name = std::to_string(request);
        const std::vector<std::string> wanted{"hold", goes_back(request) ? "release" : "book"};
        if (effects_[request] != wanted) found("V9: trip " + name + " did something else");
        const SagaStatus status = index.explain({"trip", name}).state.status;
        const SagaStatus end = goes_back(request) ? SagaStatus::compensated : SagaStatus::completed;
        if (status != end) {
            found("V9: trip " + name + " is " + std::string(to_string(status)));
        }
    }
}

/// The rows of a pragma that differ from `good`, and its error.
std::string complaint(sqlite3* database, const char* sql, std::string_view good) {
    std::string text;
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW) break;
        const auto* const said = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        if (said == nullptr || good != said) text += said == nullptr ? "null" : said;
    }
    if (code != SQLITE_DONE) text += sqlite3_errmsg(database);
    sqlite3_finalize(statement);
    return text;
}

void judge_file(const std::string& path, Violations& violations) {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    std::string text;
    if (sqlite3_open_v2(path.c_str(), &database, flags, nullptr) == SQLITE_OK) {
        sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        sqlite3_busy_timeout(database, 10'000);
        text = complaint(database, "PRAGMA integrity_check", "ok") +
               complaint(database, "PRAGMA foreign_key_check", "");
    } else {
        text = "cannot be opened";
    }
    sqlite3_close(database);
    if (!text.empty()) violations.push_back("V8: " + path + ": " + text);
}

}  // namespace

std::string text_of(const Violations& violations) {
    std::string text = std::to_string(violations.size()) + " violations";
    const std::size_t shown_max = sweep_size("DAYBOOK_SWEEP_SHOWN", 20);
    for (std::size_t i = 0; i < violations.size() && i < shown_max; ++i) {
        text += "\n  " + violations[i];
    }
    return text;
}

Violations judge(const EventStore& store, const History& history, std::size_t operations,
                 bool complete) {
    return Judge{store, history, operations}.run(complete);
}

Violations judge_files(const std::string& path) {
    Violations violations;
    judge_file(path, violations);
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(path + "-rm", none)) {
        if (entry.path().extension() == ".db") judge_file(entry.path().string(), violations);
    }
    return violations;
}

}  // namespace daybook::test
