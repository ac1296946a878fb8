#include "failing_memory.hpp"

#include <atomic>
#include <stdexcept>

#include <sqlite3.h>

namespace daybook::test {

namespace {

sqlite3_mem_methods real{};
std::atomic<bool> failing{false};
std::atomic<bool> for_ever{false};
std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> nth{0};
std::atomic<bool> failed{false};

bool fails() {
    if (!failing) return false;
    const std::uint64_t call = ++calls;
    if (for_ever ? call < nth : call != nth) return false;
    failed = true;
    return true;
}

void* allocate(int bytes) { return fails() ? nullptr : real.xMalloc(bytes); }
void* resize(void* memory, int bytes) { return fails() ? nullptr : real.xRealloc(memory, bytes); }

}  // namespace

void FailingMemory::install() {
    if (real.xMalloc != nullptr) return;
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
    sqlite3_mem_methods ours = real;
    ours.xMalloc = &allocate;
    ours.xRealloc = &resize;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK ||
        sqlite3_initialize() != SQLITE_OK) {
        throw std::runtime_error("SQLite does not take another allocator");
    }
}

void FailingMemory::fail(std::uint64_t which, bool ever) {
    calls = 0;
    failed = false;
    nth = which;
    for_ever = ever;
    failing = true;
}

void FailingMemory::heal() { failing = false; }
bool FailingMemory::has_failed() { return failed; }

}  // namespace daybook::test
