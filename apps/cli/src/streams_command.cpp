#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "commands.hpp"
#include "json_text.hpp"
#include "statements.hpp"

namespace daybook::command {

namespace {

constexpr std::uint64_t page_max = 1'000;

std::vector<std::string> names_after(const EventStore& store, const std::string& after,
                                     const std::string& category, std::uint64_t limit) {
    std::vector<std::string> names;
    const auto keep = [&](const SqlRow& row) { names.emplace_back(row.text(0)); };
    store.query([&](Sql& sql) {
        if (category.empty()) {
            sql.each(sql::streams_after, keep, after, limit);
        } else {
            sql.each(sql::streams_of_category_after, keep, after, category, limit);
        }
    });
    return names;
}

ExitCode streams(Invocation& invocation) {
    const std::string category = invocation.text("--category");
    std::uint64_t left = invocation.has("--limit") ? count_of(invocation, "--limit") : unlimited;
    const EventStore store = invocation.open_store();
    Listing listing{invocation.output(), {"stream", "version"}};
    std::string after;
    while (left > 0) {
        const std::uint64_t wanted = std::min(left, page_max);
        const auto names = names_after(store, after, category, wanted);
        for (const std::string& name : names) {
            listing.add({{"stream", name},
                         {"category", StreamName::category_of(name)},
                         {"version", store.version(name).value()}});
        }
        if (names.size() < wanted) break;
        after = names.back();
        left -= wanted;
    }
    return ExitCode::ok;
}

}  // namespace

Subcommand streams_command() {
    return {.name = "streams",
            .help = "List the streams and how many events each holds",
            .options = {{.name = "--category", .help = "Only this category", .value = "C"},
                        {.name = "--limit",
                         .help = "How many streams at most",
                         .takes = Option::Takes::number}},
            .run = streams};
}

}  // namespace daybook::command
