#include <filesystem>

#include "cases.hpp"
#include "timed_calls.hpp"

// Appends to a new store: each measurement starts with a file that does not exist yet, so every log
// grows from nothing and every stream is new at first. Opening the file is not counted.

namespace bench {

namespace {

/// The file of one measurement. The destructor removes it and SQLite's files beside it.
class RoundFile {
public:
    explicit RoundFile(std::string path) : path_(std::move(path)) {}
    ~RoundFile() {
        std::error_code ignored;
        for (const char* part : {"", "-wal", "-shm"}) {
            std::filesystem::remove(path_ + part, ignored);
        }
    }
    RoundFile(const RoundFile&) = delete;
    RoundFile& operator=(const RoundFile&) = delete;

    const std::string& path() const noexcept { return path_; }

private:
    const std::string path_;
};

Case fresh_case(Bench& bench, const std::string& id, std::size_t per_call, std::size_t calls) {
    const auto sample = std::make_shared<const Sample>();
    const auto floor_path = bench.scratch.file("fresh-floor.db");
    const auto daybook_path = bench.scratch.file("fresh-daybook.db");
    const auto scaled = bench.scaled(calls);
    Case out{.id = id, .durability = "FULL", .rounds = bench.rounds()};
    out.ways = {{"floor", "events",
                 [=] {
                     const RoundFile file{floor_path};
                     FloorAppender<FloorLog> appender{*sample, file.path()};
                     const auto measurement = timed_calls(scaled, per_call, [&] {
                         appender.log.append(appender.next_of_one(per_call));
                     });
                     appender.check();
                     return measurement;
                 }},
                {"Daybook", "events", [=] {
                     const RoundFile file{daybook_path};
                     DaybookAppender appender{file.path(), *sample};
                     const auto measurement =
                         timed_calls(scaled, per_call, [&] { appender.append(per_call); });
                     appender.check();
                     return measurement;
                 }}};
    const std::string title = per_call == 1 ? "1 event" : std::to_string(per_call) + " events";
    out.comparisons = {
        {"append to a new store, " + title + " a call", 1, 0, Measure::rate, Goal{0.90}}};
    return out;
}

}  // namespace

Case append_one_fresh(Bench& bench) { return fresh_case(bench, "S1f", 1, 2000); }

Case append_ten_fresh(Bench& bench) { return fresh_case(bench, "S3f", 10, 2000); }

}  // namespace bench
