#include <filesystem>

#include "cases.hpp"
#include "turns.hpp"

// What a newcomer sees: each turn begins with a file that is not there yet, so every log grows from
// nothing and every stream is new at first. Opening the file is not counted.

namespace bench {

namespace {

/// A file of one turn, gone with the object and with what SQLite has put beside it.
class TurnFile {
public:
    explicit TurnFile(std::string path) : path_(std::move(path)) {}
    ~TurnFile() {
        std::error_code ignored;
        for (const char* part : {"", "-wal", "-shm"}) {
            std::filesystem::remove(path_ + part, ignored);
        }
    }
    TurnFile(const TurnFile&) = delete;
    TurnFile& operator=(const TurnFile&) = delete;

    const std::string& path() const noexcept { return path_; }

private:
    const std::string path_;
};

Case fresh_case(Bench& bench, const std::string& id, std::size_t per_call, std::size_t calls) {
    const auto sample = std::make_shared<const Sample>();
    const auto floor_path = bench.scratch.file("fresh-floor.db");
    const auto our_path = bench.scratch.file("fresh-ours.db");
    const auto scaled = bench.scaled(calls);
    Case out{.id = id, .durability = "FULL", .rounds = bench.rounds()};
    out.ways = {{"floor", "events",
                 [=] {
                     const TurnFile file{floor_path};
                     FloorSide<FloorLog> side{*sample, file.path()};
                     const auto turn = timed_calls(
                         scaled, per_call, [&] { side.log.append(side.next_of_one(per_call)); });
                     side.check();
                     return turn;
                 }},
                {"ours", "events", [=] {
                     const TurnFile file{our_path};
                     OurSide side{file.path(), *sample};
                     const auto turn =
                         timed_calls(scaled, per_call, [&] { side.append(per_call); });
                     side.check();
                     return turn;
                 }}};
    const std::string title = per_call == 1 ? "1 event" : std::to_string(per_call) + " events";
    out.figures = {
        {"append to a new store, " + title + " a call", 1, 0, Measure::rate, Goal{0.90}}};
    return out;
}

}  // namespace

Case append_one_fresh(Bench& bench) { return fresh_case(bench, "S1f", 1, 2000); }

Case append_ten_fresh(Bench& bench) { return fresh_case(bench, "S3f", 10, 2000); }

}  // namespace bench
