#pragma once

#include <string>

#include <doctest/doctest.h>

#include "daybook/eventstore/event_store.hpp"
#include "temporary_directory.hpp"

// The engines that every contract is checked on. A contract is written as
//     TEST_CASE_TEMPLATE("a fear", Engine, DAYBOOK_ENGINES)
// and stands in the list of tests once for each.

namespace daybook::test {

/// A place for a store on one SQLite file.
class Sqlite {
public:
    std::string uri() const { return directory_.file("store.db"); }

private:
    TemporaryDirectory directory_;
};

/// One store of an engine; `open` gives another, independent handle on it, as a second process
/// would have.
template <class Engine>
class StoreOn {
public:
    EventStore open(StoreOptions options = {}) const {
        return EventStore::open(place_.uri(), std::move(options));
    }
    std::string uri() const { return place_.uri(); }

private:
    Engine place_;
};

/// An event whose payload is `{"n":number}`.
inline NewEvent numbered(std::uint64_t number, const char* type = "thing.counted") {
    return NewEvent{EventType::checked(type, 1), "{\"n\":" + std::to_string(number) + "}"};
}

}  // namespace daybook::test

TYPE_TO_STRING_AS("sqlite", daybook::test::Sqlite);

#define DAYBOOK_ENGINES daybook::test::Sqlite
