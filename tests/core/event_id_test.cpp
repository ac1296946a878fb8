#include "daybook/core/event_id.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daybook/core/error.hpp"

using daybook::EventId;

namespace {

std::vector<EventId> generate(std::size_t count) {
    std::vector<EventId> ids(count);
    std::ranges::generate(ids, EventId::generate);
    return ids;
}

bool strictly_rising(const std::vector<EventId>& ids) {
    return std::ranges::adjacent_find(ids, std::ranges::greater_equal{}) == ids.end();
}

}  // namespace

TEST_CASE("a new id says that it is a version 7 UUID of this millisecond") {
    using namespace std::chrono;
    const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    const EventId::Bytes bytes = EventId::generate().bytes();
    CHECK((bytes[6] >> 4) == 7);
    CHECK((bytes[8] >> 6) == 2);
    std::int64_t milliseconds_of_id = 0;
    for (std::size_t i = 0; i < 6; ++i) milliseconds_of_id = milliseconds_of_id * 256 + bytes[i];
    CHECK(milliseconds_of_id >= now);
    CHECK(milliseconds_of_id < now + 1000);
}

TEST_CASE("ids of one thread rise strictly even within a millisecond") {
    CHECK(strictly_rising(generate(200'000)));
}

TEST_SUITE("concurrent") {
    TEST_CASE("threads never give the same id and each of them rises") {
        constexpr std::size_t per_thread = 20'000;
        std::array<std::vector<EventId>, 8> made;
        {
            std::vector<std::jthread> threads;
            threads.reserve(made.size());
            for (auto& ids : made) threads.emplace_back([&ids] { ids = generate(per_thread); });
        }
        std::vector<EventId> all;
        for (const auto& ids : made) {
            CHECK(strictly_rising(ids));
            all.insert(all.end(), ids.begin(), ids.end());
        }
        std::ranges::sort(all);
        CHECK(std::ranges::adjacent_find(all) == all.end());
    }
}

TEST_CASE("a child does not repeat its parent's ids after a fork") {
    generate(10);  // the parent's generator is seeded before
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    std::vector<EventId> ids = generate(100);
    if (child == 0) {
        const auto size = static_cast<ssize_t>(ids.size() * sizeof(EventId));
        _exit(write(ends[1], ids.data(), static_cast<std::size_t>(size)) == size ? 0 : 1);
    }
    std::vector<EventId> of_child(ids.size());
    const auto size = static_cast<ssize_t>(of_child.size() * sizeof(EventId));
    CHECK(read(ends[0], of_child.data(), static_cast<std::size_t>(size)) == size);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    close(ends[0]);
    close(ends[1]);

    // The last 48 bits are random: equal ones would show equal generators.
    const auto random_part = [](const EventId& id) {
        return std::vector<std::uint8_t>(id.bytes().begin() + 10, id.bytes().end());
    };
    for (std::size_t i = 0; i < ids.size(); ++i) {
        CHECK(random_part(ids[i]) != random_part(of_child[i]));
    }
}

TEST_CASE("an id comes back from its text") {
    const EventId id = EventId::generate();
    CHECK(id.to_string().size() == 36);
    CHECK(EventId::parse(id.to_string()) == id);
}

TEST_CASE("text order of ids is their order") {
    const EventId first = EventId::generate();
    const EventId second = EventId::generate();
    CHECK(first < second);
    CHECK(first.to_string() < second.to_string());
}

TEST_CASE("upper case digits are read and written back in lower case") {
    const auto id = EventId::parse("0190A1B2-C3D4-7E5F-8A6B-0C1D2E3F4A5B");
    CHECK(id.to_string() == "0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b");
}

TEST_CASE("what is no id is refused and never half read") {
    for (const char* text : {
             "",
             "0190a1b2",
             "0190a1b2c3d47e5f8a6b0c1d2e3f4a5b",
             "0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5",
             "0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b0",
             "0190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5g",
             "0190a1b2-c3d4-7e5f-8a6b_0c1d2e3f4a5b",
             "{190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5}",
             "0190a1b-2c3d4-7e5f-8a6b-0c1d2e3f4a5b",
             "-190a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b",
         }) {
        CAPTURE(text);
        CHECK_FALSE(EventId::try_parse(text));
        CHECK_THROWS_AS(EventId::parse(text), daybook::InvalidError);
    }
}

TEST_CASE("the same name gives the same id in every program for ever") {
    // SHA-256 of `abc` begins ba7816bf 8f01cfea 414140de 5dae2223.
    const EventId id = EventId::from_name("abc");
    CHECK(id.to_string() == "ba7816bf-8f01-8fea-8141-40de5dae2223");
    CHECK(EventId::from_name("abc") == id);
    CHECK(EventId::from_name("abd") != id);
    CHECK(EventId::from_name("") != EventId{});
}

TEST_CASE("only the nil id is nil") {
    CHECK(EventId{}.is_nil());
    CHECK(EventId{}.to_string() == "00000000-0000-0000-0000-000000000000");
    CHECK_FALSE(EventId::generate().is_nil());
}
