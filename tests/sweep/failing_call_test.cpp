#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "failing_memory.hpp"
#include "sweep_size.hpp"
#include "trial.hpp"

// Every call that SQLite makes fails: the first, the second, and so on until a scenario ends
// without having met the fault; once and from then on, with each error. DAYBOOK_SWEEP_EVERY_CALL=1
// tries all of them, otherwise some are drawn. DAYBOOK_SWEEP_EVERY_CALL=2/8 tries the second of
// eight parts of the scenarios.

using namespace daybook;
using namespace daybook::test;

namespace {

/// A kind of call, or an allocation, and how it fails.
struct Fault {
    const char* name;
    std::optional<DiskCall> call;
    int code = SQLITE_NOMEM;
};

constexpr Fault faults[] = {
    {"read: input/output error", DiskCall::read, SQLITE_IOERR_READ},
    {"write: input/output error", DiskCall::write, SQLITE_IOERR_WRITE},
    {"write: disk full", DiskCall::write, SQLITE_FULL},
    {"sync: input/output error", DiskCall::sync, SQLITE_IOERR_FSYNC},
    {"truncate: input/output error", DiskCall::truncate, SQLITE_IOERR_TRUNCATE},
    {"file size: input/output error", DiskCall::file_size, SQLITE_IOERR_FSTAT},
    {"open: cannot", DiskCall::open, SQLITE_CANTOPEN},
    {"open: input/output error", DiskCall::open, SQLITE_IOERR},
    {"remove: input/output error", DiskCall::remove, SQLITE_IOERR_DELETE},
    {"access: input/output error", DiskCall::access, SQLITE_IOERR_ACCESS},
    {"lock: busy", DiskCall::lock, SQLITE_BUSY},
    {"lock: input/output error", DiskCall::lock, SQLITE_IOERR_LOCK},
    {"shared memory: cannot be mapped", DiskCall::shm_map, SQLITE_IOERR_SHMMAP},
    {"shared memory: cannot grow", DiskCall::shm_map, SQLITE_IOERR_SHMSIZE},
    {"shared memory: no memory", DiskCall::shm_map, SQLITE_NOMEM},
    {"shared memory lock: busy", DiskCall::shm_lock, SQLITE_BUSY},
    {"shared memory lock: input/output error", DiskCall::shm_lock, SQLITE_IOERR_SHMLOCK},
    {"memory: none left", std::nullopt, SQLITE_NOMEM},
};

class FaultSweep {
public:
    explicit FaultSweep(std::uint64_t seed) : random_(seed) {
        FailingMemory::install();
        trial_ = std::make_unique<Trial>();
    }

    /// Returns whether the fault was met.
    bool attempt(const Scenario& scenario, const Fault& fault, std::uint64_t nth, bool for_ever);
    void every_call(const Scenario& scenario, const Fault& fault);
    void some_calls(const Scenario& scenario, const Fault& fault);

    Trial& trial() { return *trial_; }
    std::uint64_t met = 0;
    Violations violations;

private:
    std::mt19937_64 random_;
    std::unique_ptr<Trial> trial_;
};

bool FaultSweep::attempt(const Scenario& scenario, const Fault& fault, std::uint64_t nth,
                         bool for_ever) {
    bool was_met = false;
    const auto inject = [&] {
        if (fault.call) {
            trial_->disk().fail({*fault.call, fault.code, nth, for_ever});
        } else {
            FailingMemory::fail(nth, for_ever);
        }
    };
    const auto heal = [&] {
        was_met = fault.call ? trial_->disk().has_failed() : FailingMemory::has_failed();
        trial_->disk().heal();
        FailingMemory::heal();
    };
    const bool touches_disk = fault.call == DiskCall::write || fault.call == DiskCall::sync;
    const bool loses_power = touches_disk && random_() % 2 == 0;
    const std::string where = std::string(scenario.name) + "; " + fault.name + ", call " +
                              std::to_string(nth) + (for_ever ? " and all after it" : " only") +
                              ": ";
    for (const std::string& violation : trial_->run(scenario, inject, heal, loses_power)) {
        violations.push_back(where + violation);
    }
    met += was_met ? 1 : 0;
    return was_met;
}

void FaultSweep::every_call(const Scenario& scenario, const Fault& fault) {
    for (const bool for_ever : {false, true}) {
        for (std::uint64_t nth = 1; attempt(scenario, fault, nth, for_ever); ++nth) {}
    }
}

void FaultSweep::some_calls(const Scenario& scenario, const Fault& fault) {
    if (random_() % 3 != 0) return;
    const bool for_ever = random_() % 2 == 0;
    // Most scenarios have a few calls of a kind, some have hundreds: small numbers are likelier.
    const std::uint64_t nth_max = 1ULL << random_() % (fault.call ? 6 : 10);
    attempt(scenario, fault, 1 + random_() % nth_max, for_ever);
}

/// While it lives, new connections have no lookaside buffer for small allocations, so every one of
/// their allocations can fail.
class NoLookaside {
public:
    NoLookaside() { sqlite3_auto_extension(entry()); }
    ~NoLookaside() { sqlite3_cancel_auto_extension(entry()); }
    NoLookaside(const NoLookaside&) = delete;
    NoLookaside& operator=(const NoLookaside&) = delete;

private:
    using Entry = void (*)();
    static int take_away(sqlite3* database) {
        return sqlite3_db_config(database, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
    }
    // SQLite takes every entry point as this type and calls it with the database.
    static Entry entry() { return reinterpret_cast<Entry>(&NoLookaside::take_away); }
};

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("whatever call fails, every caller hears the truth and the process goes on [P2]") {
    const std::uint64_t seed = sweep_seed();
    FaultSweep sweep{seed};
    const bool all = std::getenv("DAYBOOK_SWEEP_EVERY_CALL") != nullptr;
    const auto [part, parts] = sweep_part("DAYBOOK_SWEEP_EVERY_CALL");
    std::size_t number = 0;
    for (const Scenario& scenario : scenarios()) {
        if (number++ % parts != part - 1) continue;
        for (const Fault& fault : faults) {
            if (all) {
                sweep.every_call(scenario, fault);
            } else {
                sweep.some_calls(scenario, fault);
            }
        }
    }
    MESSAGE("DAYBOOK_SWEEP_SEED=" << seed << ": " << sweep.met << " calls failed in "
                                  << scenarios().size() / parts << " scenarios");
    CHECK(sweep.met > 0);
    CHECK_MESSAGE(sweep.violations.empty(), text_of(sweep.violations));
}

TEST_CASE("a read that runs out of memory anywhere does not continue from an old state [A2]") {
    FailingMemory::install();
    const NoLookaside none_set_aside;
    const MemoryDisk disk;
    EventStore store = EventStore::open(disk.path("store.db"));
    const auto counted = [&] {
        std::int64_t count = 0;
        store.query(
            [&](Sql& sql) { count = sql.integer("SELECT count(*) FROM daybook_event").value(); });
        return count;
    };
    const auto read = [&] {
        std::int64_t count = 0;
        for (const EventView event : store.read_all()) {
            static_cast<void>(event);
            ++count;
        }
        return count;
    };
    std::int64_t stored = 0;
    for (const auto& attempt_read :
         {std::function<std::int64_t()>{counted}, std::function<std::int64_t()>{read}}) {
        bool was_met = true;
        for (std::uint64_t nth = 1; was_met; ++nth) {
            CAPTURE(nth);
            FailingMemory::fail(nth, false);
            try {
                attempt_read();
            } catch (const UnavailableError&) {
                // The allocation for it has failed.
            }
            was_met = FailingMemory::has_failed();
            FailingMemory::heal();
            store.append("thing-1", any_version,
                         {NewEvent{EventType::checked("thing.done", 1), "{}"}});
            ++stored;
            CHECK(counted() == stored);
            CHECK(read() == stored);
        }
    }
}

TEST_CASE("a store whose creation has failed at a sync has a write-ahead log in the end [A3]") {
    MemoryDisk disk;
    const std::string path = disk.path("store.db");
    bool was_met = true;
    for (std::uint64_t nth = 1; was_met; ++nth) {
        disk.load({});
        disk.fail({DiskCall::sync, SQLITE_IOERR_FSYNC, nth, false});
        try {
            EventStore::open(path);
        } catch (const StorageError&) {
            // The caller opens it again below.
        }
        was_met = disk.has_failed();
        disk.heal();
        EventStore::open(path);
        // The header of the file says so: 2 is WAL. See https://sqlite.org/fileformat.html.
        char versions[2]{};
        disk.image().at(path).read(18, versions, sizeof versions);
        CAPTURE(nth);
        CHECK(versions[0] == 2);
        CHECK(versions[1] == 2);
    }
}

TEST_CASE("a verdict that is false is found out [P2]") {
    FaultSweep sweep{sweep_seed()};
    sweep.trial().falsifies_verdicts = true;
    const Fault& full = faults[2];
    for (const Scenario& scenario : scenarios()) {
        if (std::string_view{scenario.name} != "append") continue;
        sweep.attempt(scenario, full, 1, true);       // refused, and reported as stored
        sweep.attempt(scenario, full, 1'000, false);  // stored, and reported as refused
    }
    const auto has = [&](std::string_view text) {
        return std::ranges::any_of(sweep.violations, [&](const std::string& violation) {
            return violation.find(text) != std::string::npos;
        });
    };
    CHECK(has("was acknowledged and is gone"));
    CHECK(has("was refused and is there"));
}

TEST_SUITE_END();
