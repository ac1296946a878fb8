#include "daybook/command/output.hpp"

#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daybook/command/exit_code.hpp"
#include "daybook/command/progress.hpp"
#include "daybook/core/denied_error.hpp"

using daybook::ErrorKind;
using daybook::command::ExitCode;
using daybook::command::Listing;
using daybook::command::Output;
using daybook::command::OutputOptions;
using Json = nlohmann::ordered_json;

namespace {

struct Screen {
    explicit Screen(OutputOptions options) : output(data, notes, options) {}
    std::ostringstream data;
    std::ostringstream notes;
    Output output;
};

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("each kind of error has its exit code") {
    const auto code = [](ErrorKind kind) {
        return static_cast<int>(daybook::command::exit_code(kind));
    };
    CHECK(code(ErrorKind::invalid) == 2);
    CHECK(code(ErrorKind::conflict) == 4);
    CHECK(code(ErrorKind::duplicate) == 4);
    CHECK(code(ErrorKind::not_found) == 3);
    CHECK(code(ErrorKind::unavailable) == 6);
    CHECK(code(ErrorKind::storage) == 6);
    CHECK(code(ErrorKind::corrupt) == 5);
    CHECK(code(ErrorKind::in_doubt) == 1);
    CHECK(code(ErrorKind::cancelled) == 1);
}

TEST_CASE("a right that is missing is not worth waiting for [E22]") {
    const daybook::DeniedError denied{"/srv/orders.db cannot be written"};
    CHECK(daybook::command::exit_code(denied) == ExitCode::failure);
    CHECK(daybook::command::exit_code(daybook::StorageError{"full"}) == ExitCode::unavailable);
    CHECK_FALSE(denied.retryable());
}

TEST_CASE("a record is one line for scripts and many for people") {
    const Json object{{"name", "a"},
                      {"last_error", nullptr},
                      {"inner", {{"count", 2}}},
                      {"list", {"x", Json{{"y", 1}}}},
                      {"none", Json::array()}};
    Screen scripts{{.json = true}};
    scripts.output.record(object);
    CHECK(scripts.data.str() == object.dump() + "\n");

    Screen people{{}};
    people.output.record(object);
    CHECK(people.data.str() ==
          "name: a\nlast error: -\ninner:\n  count: 2\nlist:\n  - x\n  - {\"y\":1}\nnone: []\n");
}

TEST_CASE("text that is not UTF-8 does not stop the output") {
    Screen scripts{{.json = true}};
    scripts.output.record({{"error", "bad \xff byte"}});
    CHECK(Json::parse(scripts.data.str()).at("error") == "bad \xef\xbf\xbd byte");
}

TEST_CASE("a table is as wide as what stands in it") {
    Screen people{{}};
    {
        Listing listing{people.output, {"name", "count", "last_error"}};
        listing.add({{"name", "äö"}, {"count", 1}, {"last_error", nullptr}, {"more", 1}});
        listing.add({{"name", "a long name"}, {"count", 12345678}, {"last_error", "x"}});
        CHECK(people.data.str().empty());
    }
    CHECK(people.data.str() ==
          "NAME            COUNT  LAST ERROR\n"
          "äö                  1  -\n"
          "a long name  12345678  x\n");
}

TEST_CASE("a table of many rows is not kept in memory") {
    Screen people{{}};
    Listing listing{people.output, {"n"}};
    for (std::size_t i = 0; i < Listing::rows_kept_max; ++i) listing.add({{"n", i}});
    CHECK_FALSE(people.data.str().empty());
    const auto size = people.data.str().size();
    listing.add({{"n", 7}});
    CHECK(people.data.str().size() > size);
}

TEST_CASE("an empty table is nothing at all") {
    Screen people{{}};
    { Listing listing{people.output, {"n"}}; }
    CHECK(people.data.str().empty());
}

TEST_CASE("progress draws over itself and wipes its line") {
    Screen terminal{{.live_progress = true}};
    {
        daybook::command::Progress progress{terminal.output, "orders"};
        progress.update(25, 100, "applying");
        progress.update(26, 100, "applying");
    }
    CHECK(terminal.notes.str() == "\r\x1b[Korders  25 %  25 of 100  applying\r\x1b[K");
    CHECK(terminal.data.str().empty());

    Screen file{{}};
    daybook::command::Progress{file.output, "orders"}.update(1, 2);
    CHECK(file.notes.str().empty());
}

TEST_SUITE_END();
