#include "source_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>
#include <utility>

namespace tidy {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Walks over C++ text and copies it with comments and literals blanked.
class Blanker {
public:
    explicit Blanker(std::string_view text) : text_{text} { out_.reserve(text.size()); }

    std::string run() {
        while (at_ < text_.size()) step();
        return std::move(out_);
    }

private:
    void step() {
        const char c = text_[at_];
        if (starts("//")) return blank_until("\n", 0);
        if (starts("/*")) return blank_until("*/", 2);
        if (c == '"' && opens_raw_string()) return raw_string();
        if (c == '"') return quoted('"');
        if (c == '\'' && !separates_digits()) return quoted('\'');
        keep();
    }

    bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    void keep() { out_ += text_[at_++]; }

    void blank() {
        out_ += text_[at_] == '\n' ? '\n' : ' ';
        ++at_;
    }

    void blank_to(std::size_t end) {
        while (at_ < std::min(end, text_.size())) blank();
    }

    // Line comments leave their line end (`extra` 0), block comments take their mark with them.
    void blank_until(std::string_view mark, std::size_t extra) {
        const auto end = text_.find(mark, at_ + extra);
        blank_to(end == std::string_view::npos ? text_.size() : end + extra);
    }

    // The run of word characters that ends right before the present position.
    std::string_view word_before() const {
        auto first = at_;
        while (first > 0 && is_word(text_[first - 1])) --first;
        return text_.substr(first, at_ - first);
    }

    bool opens_raw_string() const {
        static constexpr std::array<std::string_view, 5> prefixes{"R", "u8R", "uR", "UR", "LR"};
        return std::ranges::find(prefixes, word_before()) != prefixes.end();
    }

    // 100'000: the word before is a number, unlike the prefix of u8'x'.
    bool separates_digits() const {
        auto first = at_;
        while (first > 0 && (is_word(text_[first - 1]) || text_[first - 1] == '\'')) --first;
        return first < at_ && std::isdigit(static_cast<unsigned char>(text_[first])) != 0;
    }

    void raw_string() {
        const auto open = text_.find('(', at_);
        if (open == std::string_view::npos) return blank_to(text_.size());
        const auto delimiter = text_.substr(at_ + 1, open - at_ - 1);
        const auto close = text_.find(")" + std::string{delimiter} + "\"", open);
        keep();
        if (close == std::string_view::npos) return blank_to(text_.size());
        blank_to(close + 1 + delimiter.size());
        keep();
    }

    void quoted(char quote) {
        keep();
        while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) blank();
            blank();
        }
        if (at_ < text_.size()) keep();
    }

    std::string_view text_;
    std::string out_;
    std::size_t at_ = 0;
};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// Preprocessor lines hold braces that belong to no block, so they are blanked too.
void blank_directives(std::string& code) {
    bool directive = false;
    std::size_t line = 0;
    while (line < code.size()) {
        const auto end = std::min(code.find('\n', line), code.size());
        const auto text = trimmed(std::string_view{code}.substr(line, end - line));
        directive = directive || text.starts_with('#');
        const bool goes_on = directive && text.ends_with('\\');
        if (directive) {
            std::fill(code.begin() + static_cast<std::ptrdiff_t>(line),
                      code.begin() + static_cast<std::ptrdiff_t>(end), ' ');
        }
        directive = goes_on;
        line = end + 1;
    }
}

bool has_word(std::string_view text, std::string_view word) {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const auto after = at + word.size();
        const bool starts = at == 0 || !is_word(text[at - 1]);
        if (starts && (after == text.size() || !is_word(text[after]))) return true;
    }
    return false;
}

// `template <class T>` and `alignas(8)` would be taken for a class and a function.
std::string without_prefixes(std::string_view head) {
    std::string out{trimmed(head)};
    for (const auto& [word, open, close] :
         {std::tuple{"template", '<', '>'}, std::tuple{"alignas", '(', ')'}}) {
        for (auto at = out.find(word); at != std::string::npos; at = out.find(word)) {
            auto end = out.find(open, at);
            int depth = 0;
            for (; end < out.size(); ++end) {
                depth += out[end] == open ? 1 : out[end] == close ? -1 : 0;
                if (depth == 0) break;
            }
            out.erase(at, end >= out.size() ? std::string::npos : end + 1 - at);
        }
    }
    return std::string{trimmed(out)};
}

enum class Block { outer, function, other };

bool has_parenthesis(std::string_view text) { return text.find('(') != std::string_view::npos; }

// `struct A : B<void(int)>` is a class, `struct A f()` and `f(struct A*)` are not.
bool is_class(std::string_view head) {
    for (const std::string_view word : {"class", "struct", "union", "enum"}) {
        if (!has_word(head, word)) continue;
        const auto at = head.find(word);
        auto end = head.find(':', at);
        while (end != std::string_view::npos && head.substr(end).starts_with("::"))
            end = head.find(':', end + 2);
        const auto before = head.substr(0, at);
        const bool free = before.starts_with("requires") || !has_parenthesis(before);
        if (free && !has_parenthesis(head.substr(at, end - at))) return true;
    }
    return false;
}

Block classify(std::string_view raw_head) {
    const auto head = without_prefixes(raw_head);
    if (has_word(head, "namespace") || head.starts_with("extern \"")) return Block::outer;
    if (head.starts_with("TEST_SUITE") || is_class(head)) return Block::outer;
    if (head.ends_with('=') || !has_parenthesis(head)) return Block::other;
    return Block::function;
}

std::string name_of(std::string_view raw_head) {
    const auto head = without_prefixes(raw_head);
    const auto end = head.find('(');
    auto first = std::min(end, head.size());
    while (first > 0 && (is_word(head[first - 1]) || head[first - 1] == ':')) --first;
    const auto name = head.substr(first, std::min(end, head.size()) - first);
    return name.empty() ? head.substr(0, 40) : name;
}

/// Finds the blocks of a text whose comments, literals and directives are blanked.
class FunctionFinder {
public:
    explicit FunctionFinder(std::string_view code) : code_{code} {}

    std::vector<Function> run() {
        for (at_ = 0; at_ < code_.size(); ++at_) step(code_[at_]);
        return std::move(found_);
    }

private:
    void step(char c) {
        if (c == '\n') ++line_;
        if (c == '(') ++parentheses_;
        if (c == ')' && parentheses_ > 0) --parentheses_;
        if (parentheses_ > 0) return;
        if (c == '{') return open();
        if (c == '}') return close();
        if (c == ';') return start_head();
        if (c == ':' && access_label()) return start_head();
        if (!head_started_ && !is_space(c)) {
            head_started_ = true;
            head_at_ = at_;
            head_line_ = line_;
        }
    }

    std::string_view head() const {
        return head_started_ ? code_.substr(head_at_, at_ - head_at_) : std::string_view{};
    }

    void start_head() { head_started_ = false; }

    bool access_label() const {
        const auto text = trimmed(head());
        return text == "public" || text == "private" || text == "protected";
    }

    void open() {
        if (const auto kind = classify(head()); kind == Block::outer) {
            ++outer_;
            return start_head();
        } else {
            skip_block(kind);
        }
    }

    void close() {
        if (outer_ > 0) --outer_;
        start_head();
    }

    // To the matching brace of the block that opens here; everything inside belongs to it.
    void skip_block(Block kind) {
        int depth = 0;
        for (; at_ < code_.size(); ++at_) {
            const char c = code_[at_];
            if (c == '\n') ++line_;
            if (c == '{') ++depth;
            if (c == '}' && --depth == 0) break;
        }
        if (kind == Block::function) found_.push_back({head_line_, line_, name_of(head())});
        // In `X() : a_{1}, b_{2} {` the braces of the initialisers are not the body yet.
        const auto rest = trimmed(code_.substr(std::min(at_ + 1, code_.size())));
        if (!rest.starts_with(',') && !rest.starts_with('{')) start_head();
    }

    std::string_view code_;
    std::vector<Function> found_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t head_at_ = 0;
    std::size_t head_line_ = 1;
    bool head_started_ = false;
    int parentheses_ = 0;
    int outer_ = 0;
};

}  // namespace

std::string without_comments_and_literals(std::string_view text) { return Blanker{text}.run(); }

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::size_t columns_of(std::string_view line) {
    // Bytes of the form 10xxxxxx continue a code point.
    return static_cast<std::size_t>(std::ranges::count_if(
        line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<Include> includes_of(std::string_view text) {
    const auto code = without_comments_and_literals(text);
    const auto blanked = lines_of(code);
    const auto original = lines_of(text);
    std::vector<Include> includes;
    for (std::size_t i = 0; i < blanked.size(); ++i) {
        auto directive = trimmed(blanked[i]);
        if (!directive.starts_with('#')) continue;
        directive = trimmed(directive.substr(1));
        if (!directive.starts_with("include")) continue;
        const auto open = original[i].find_first_of("<\"");
        if (open == std::string_view::npos) continue;
        const bool quoted = original[i][open] == '"';
        const auto close = original[i].find(quoted ? '"' : '>', open + 1);
        if (close == std::string_view::npos) continue;
        includes.push_back({i + 1, original[i].substr(open + 1, close - open - 1), quoted});
    }
    return includes;
}

std::vector<Function> functions_of(std::string_view text) {
    auto code = without_comments_and_literals(text);
    blank_directives(code);
    return FunctionFinder{code}.run();
}

}  // namespace tidy
