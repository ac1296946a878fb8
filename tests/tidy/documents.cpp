#include "documents.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "source_text.hpp"

namespace tidy {

namespace {

std::string_view without_indentation(std::string_view line) {
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

/// The lines that say something: blank ones are there for the reader only.
std::vector<std::string_view> telling_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    for (const auto line : lines_of(text)) {
        if (const auto bare = without_indentation(line); !bare.empty()) lines.push_back(bare);
    }
    return lines;
}

bool stands_in(const std::vector<std::string_view>& block, std::string_view source) {
    const auto lines = telling_lines(source);
    return std::search(lines.begin(), lines.end(), block.begin(), block.end()) != lines.end();
}

bool is_source(std::string_view path) { return path.ends_with(".cpp") || path.ends_with(".hpp"); }

}  // namespace

Findings check_code_blocks(std::string_view path, std::string_view text, const Tree& tree) {
    Findings findings;
    std::vector<std::string_view> block;
    std::size_t block_line = 0;
    std::size_t number = 0;
    for (const auto line : lines_of(text)) {
        ++number;
        const auto bare = without_indentation(line);
        if (block_line == 0) {
            if (bare == "```cpp") block_line = number;
            continue;
        }
        if (bare != "```") {
            if (!bare.empty()) block.push_back(bare);
            continue;
        }
        const bool compiled = std::ranges::any_of(tree, [&](const auto& file) {
            return is_source(file.first) && stands_in(block, file.second);
        });
        if (!compiled) {
            findings.push_back(
                {std::string(path), block_line, "this code stands in no source file"});
        }
        block.clear();
        block_line = 0;
    }
    return findings;
}

Findings check_links(std::string_view path, std::string_view text,
                     bool (*exists)(std::string_view)) {
    Findings findings;
    bool in_block = false;
    std::size_t number = 0;
    for (const auto line : lines_of(text)) {
        ++number;
        if (without_indentation(line).starts_with("```")) in_block = !in_block;
        if (in_block) continue;
        for (auto at = line.find("]("); at != std::string_view::npos;
             at = line.find("](", at + 2)) {
            auto target = line.substr(at + 2, line.find(')', at) - at - 2);
            target = target.substr(0, target.find('#'));
            if (target.empty() || target.find("://") != std::string_view::npos) continue;
            const auto folder = std::filesystem::path{path}.parent_path();
            const auto file = (folder / target).lexically_normal().generic_string();
            if (!exists(file)) {
                findings.push_back({std::string(path), number, "no such file: " + file});
            }
        }
    }
    return findings;
}

Findings check_door_signs(const Tree& sources, bool (*exists)(std::string_view)) {
    std::map<std::string, std::size_t> counts;
    for (const auto& [path, text] : sources) {
        ++counts[std::filesystem::path{path}.parent_path().generic_string()];
    }
    Findings findings;
    for (const auto& [folder, count] : counts) {
        if (count <= unsigned_sources_max) continue;
        std::string home = folder;
        if (const auto at = home.find("/include/"); at != home.npos) home.resize(at);
        if (home.starts_with("schema/sql/")) home = "schema/sql";
        if (home.ends_with("/src")) home.resize(home.size() - 4);
        if (exists(home + "/README.md")) continue;
        findings.push_back(
            {folder, 0,
             std::to_string(count) + " sources and no door sign: write " + home + "/README.md"});
    }
    return findings;
}

}  // namespace tidy
