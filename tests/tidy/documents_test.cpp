#include "documents.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

const fs::path root{DAYBOOK_SOURCE_TREE};

bool exists(std::string_view path) { return fs::exists(root / path); }

/// Every file of the repository with one of the endings.
tidy::Tree files_with(std::initializer_list<std::string_view> endings) {
    tidy::Tree tree;
    for (auto entry = fs::recursive_directory_iterator{root};
         entry != fs::recursive_directory_iterator{}; ++entry) {
        const auto& path = entry->path();
        const auto name = path.filename().string();
        if (entry->is_directory() && (name.starts_with('.') || name == "build")) {
            entry.disable_recursion_pending();
        }
        const bool wanted = std::ranges::find(endings, path.extension()) != endings.end();
        if (!entry->is_regular_file() || !wanted) continue;
        std::ifstream file{path, std::ios::binary};
        tree.emplace(fs::relative(path, root).generic_string(),
                     std::string{std::istreambuf_iterator<char>{file}, {}});
    }
    return tree;
}

std::string report(const tidy::Findings& findings) {
    std::string text;
    for (const auto& finding : findings) {
        text += finding.path + ":" + std::to_string(finding.line) + ": " + finding.text + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("code that a document shows is compiled somewhere") {
    const auto sources = files_with({".cpp", ".hpp"});
    tidy::Findings findings;
    for (const auto& [path, text] : files_with({".md"})) {
        for (auto& finding : tidy::check_code_blocks(path, text, sources)) {
            findings.push_back(std::move(finding));
        }
    }
    INFO(report(findings));
    CHECK(findings.empty());
}

TEST_CASE("each decision has a number of its own, and its title says it") {
    std::set<std::string> numbers;
    for (const auto& [path, text] : files_with({".md"})) {
        if (!path.starts_with("docs/decisions/")) continue;
        const std::string number = fs::path{path}.filename().string().substr(0, 4);
        CHECK_MESSAGE(numbers.insert(number).second, path);
        CHECK_MESSAGE(text.starts_with("# " + std::to_string(std::stoi(number)) + ". "), path);
    }
    CHECK_FALSE(numbers.empty());
}

TEST_CASE("links between documents lead somewhere") {
    tidy::Findings findings;
    for (const auto& [path, text] : files_with({".md"})) {
        for (auto& finding : tidy::check_links(path, text, &exists)) {
            findings.push_back(std::move(finding));
        }
    }
    INFO(report(findings));
    CHECK(findings.empty());
}

TEST_CASE("a folder of many sources says what it owns") {
    const auto findings = tidy::check_door_signs(files_with({".cpp", ".hpp", ".sql"}), &exists);
    INFO(report(findings));
    CHECK(findings.empty());
}

TEST_CASE("the list of fears and of the tests that see to them is up to date") {
    CHECK(std::system(("'" + (root / "scripts/fears").string() + "' --check").c_str()) == 0);
}

TEST_CASE("invented code and dead links in a document are found") {
    const tidy::Tree sources{{"a.cpp", "int main() {\n    run();\n\n    return 0;\n}\n"}};
    const auto blocks = [&](std::string_view text) {
        return tidy::check_code_blocks("docs/x.md", text, sources).size();
    };
    CHECK(blocks("```cpp\nrun();\nreturn 0;\n```\n") == 0);
    CHECK(blocks("```cpp\nrun();\nreturn 1;\n```\n") == 1);
    CHECK(blocks("```\nanything\n```\n") == 0);
    const auto links = [](std::string_view text) {
        return tidy::check_links(
                   "docs/x.md", text,
                   [](std::string_view path) { return path == "README.md" || path == "docs/y.md"; })
            .size();
    };
    CHECK(links("[a](../README.md) and [b](y.md#part) and [c](https://sqlite.org)") == 0);
    CHECK(links("[a](README.md)\n[b](z.md)") == 2);
    CHECK(links("```cpp\nrun([](Account& account) {});\n```\n") == 0);
}

TEST_CASE("a folder of many sources without a door sign is found") {
    const auto found = [](const std::string& folder) {
        tidy::Tree sources;
        for (char c = 'a'; c <= 'k'; ++c) sources.emplace(folder + "/" + c + ".cpp", "");
        return tidy::check_door_signs(sources,
                                      [](std::string_view path) {
                                          return path == "good/README.md" ||
                                                 path == "schema/sql/README.md" ||
                                                 path == "tests/good/README.md";
                                      })
            .size();
    };
    CHECK(found("good/src") == 0);
    CHECK(found("good/include/daybook/good") == 0);
    CHECK(found("tests/good") == 0);
    CHECK(found("schema/sql/sqlite/0001_x/tables") == 0);
    CHECK(found("good/src/room") == 1);
    CHECK(found("bad/src") == 1);
    CHECK(found("bad/include/daybook/bad") == 1);
    CHECK(found("tests/bad") == 1);
}
