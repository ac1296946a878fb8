// The rules over the real source tree.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <doctest/doctest.h>

#include "embedded_sql.hpp"
#include "rules.hpp"

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

const tidy::Tree& source_tree() {
    static const tidy::Tree tree = [] {
        static constexpr std::array folders{"core",  "schema",  "eventstore", "projections",
                                            "sagas", "apps",    "messaging",  "examples",
                                            "tests", "include", "benchmarks"};
        static constexpr std::array extensions{".hpp", ".h", ".cpp", ".sql"};
        const fs::path root{DAYBOOK_SOURCE_TREE};
        tidy::Tree files;
        for (const auto* folder : folders) {
            if (!fs::exists(root / folder)) continue;
            for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
                const auto& path = entry.path();
                const bool ours =
                    std::ranges::find(extensions, path.extension()) != extensions.end();
                if (entry.is_regular_file() && ours)
                    files.emplace(fs::relative(path, root).generic_string(), read(path));
            }
        }
        return files;
    }();
    return tree;
}

std::string report(const tidy::Findings& findings) {
    std::ostringstream out;
    for (const auto& [path, line, text] : findings)
        out << '\n' << path << ':' << line << ": " << text;
    return out.str();
}

}  // namespace

TEST_CASE("the tree is found") { CHECK(source_tree().contains("tests/tidy/tree_test.cpp")); }

TEST_CASE("the house is in order") {
    const auto findings = tidy::check_all(source_tree());
    INFO(report(findings));
    CHECK(findings.empty());
}

TEST_CASE("every SQL file is in the library, byte for byte and in order") {
    const auto embedded = daybook::detail::embedded_sql();
    CHECK(std::ranges::is_sorted(embedded, {},
                                 [](const auto& sql) { return std::pair{sql.engine, sql.name}; }));
    std::size_t on_disk = 0;
    for (const auto& [path, text] : source_tree())
        if (path.starts_with("schema/sql/")) ++on_disk;
    CHECK(embedded.size() == on_disk);
    for (const auto& sql : embedded) {
        auto path = "schema/sql/" + std::string{sql.engine};
        path += "/" + std::string{sql.name} + ".sql";
        CAPTURE(path);
        const auto file = source_tree().find(path);
        REQUIRE(file != source_tree().end());
        CHECK(file->second == sql.text);
    }
}
