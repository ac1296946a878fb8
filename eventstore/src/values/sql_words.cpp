#include "values/sql_words.hpp"

#include <cctype>
#include <utility>

namespace daybook::detail {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_word(char c) noexcept {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Collects the words of a text in one pass.
class WordReader {
public:
    WordReader(std::string_view sql, bool in_body, std::vector<SqlWord>& words)
        : sql_(sql), in_body_(in_body), words_(words) {}

    void read() {
        while (at_ < sql_.size()) read_next();
    }

private:
    void read_next() {
        const char c = sql_[at_];
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            ++at_;
        } else if (sql_.substr(at_).starts_with("--")) {
            skip_past("\n");
        } else if (sql_.substr(at_).starts_with("/*")) {
            skip_past("*/");
        } else if (c == '\'') {
            skip_text();
        } else if (c == '"' || c == '`') {
            add(SqlWord::Kind::quoted, quoted_name());
        } else if (c == '$' && read_body()) {
            return;
        } else if (starts_word(c)) {
            read_word();
        } else if (is_digit(c) || c == '$') {
            skip_number();
        } else {
            add(SqlWord::Kind::mark, std::string(1, c));
            ++at_;
        }
    }

    void add(SqlWord::Kind kind, std::string text) {
        words_.push_back({kind, std::move(text), in_body_});
    }

    void skip_past(std::string_view end) {
        const auto found = sql_.find(end, at_ + 2);
        at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
    }

    void read_word() {
        std::string word;
        while (at_ < sql_.size() && (starts_word(sql_[at_]) || is_digit(sql_[at_]))) {
            word += lower(sql_[at_++]);
        }
        // E'it\'s' is PostgreSQL's text with escapes.
        const bool escapes = word == "e" && at_ < sql_.size() && sql_[at_] == '\'';
        if (escapes) return skip_text(true);
        add(SqlWord::Kind::word, std::move(word));
    }

    /// Skips a number or a numbered parameter. `1e5` is one number, not a number and a word.
    void skip_number() {
        ++at_;
        while (at_ < sql_.size() &&
               (starts_word(sql_[at_]) || is_digit(sql_[at_]) || sql_[at_] == '.')) {
            ++at_;
        }
    }

    void skip_text(bool escapes = false) {
        ++at_;
        while (at_ < sql_.size()) {
            const char c = sql_[at_++];
            if (c == '\\' && escapes) {
                ++at_;
            } else if (c == '\'') {
                if (at_ >= sql_.size() || sql_[at_] != '\'') return;
                ++at_;
            }
        }
        at_ = sql_.size();
    }

    std::string quoted_name() {
        const char quote = sql_[at_++];
        std::string name;
        while (at_ < sql_.size()) {
            const char c = sql_[at_++];
            if (c == quote) {
                if (at_ >= sql_.size() || sql_[at_] != quote) break;
                ++at_;
            }
            name += lower(c);
        }
        return name;
    }

    /// Reads `$tag$ ... $tag$`. False if there is none here.
    bool read_body() {
        std::size_t end = at_ + 1;
        if (end < sql_.size() && is_digit(sql_[end])) return false;
        while (end < sql_.size() && (starts_word(sql_[end]) || is_digit(sql_[end]))) ++end;
        if (end >= sql_.size() || sql_[end] != '$') return false;
        const std::string_view tag = sql_.substr(at_, end + 1 - at_);
        const auto close = sql_.find(tag, end + 1);
        if (close == std::string_view::npos) return false;
        WordReader{sql_.substr(end + 1, close - end - 1), true, words_}.read();
        at_ = close + tag.size();
        return true;
    }

    const std::string_view sql_;
    const bool in_body_;
    std::vector<SqlWord>& words_;
    std::size_t at_ = 0;
};

bool is_word(const SqlWord& word, std::string_view text) noexcept {
    return word.kind == SqlWord::Kind::word && word.text == text;
}

bool is_semicolon(const SqlWord& word) noexcept {
    return word.kind == SqlWord::Kind::mark && word.text == ";" && !word.in_body;
}

/// Whether a statement contains statements: `CREATE TRIGGER ... BEGIN ...; END`, `... BEGIN ATOMIC
/// ...; END`.
bool has_inner_statements(const SqlStatement& statement) noexcept {
    if (statement.empty() || !is_word(statement.front(), "create")) return false;
    bool trigger = false;
    for (std::size_t i = 1; i < statement.size(); ++i) {
        trigger = trigger || is_word(statement[i], "trigger");
        if (!is_word(statement[i], "begin")) continue;
        if (trigger || (i + 1 < statement.size() && is_word(statement[i + 1], "atomic"))) {
            return true;
        }
    }
    return false;
}

/// Whether the next semicolon ends the statement. A statement that contains statements ends with
/// `; END`.
bool ends_here(const SqlStatement& statement) noexcept {
    if (!has_inner_statements(statement)) return true;
    return statement.size() > 1 && is_word(statement.back(), "end") &&
           is_semicolon(statement[statement.size() - 2]);
}

}  // namespace

std::vector<SqlWord> words_of(std::string_view sql) {
    std::vector<SqlWord> words;
    WordReader{sql, false, words}.read();
    return words;
}

std::vector<SqlStatement> statements_of(std::vector<SqlWord> words) {
    std::vector<SqlStatement> statements;
    SqlStatement open;
    for (SqlWord& word : words) {
        if (!is_semicolon(word) || !ends_here(open)) {
            open.push_back(std::move(word));
            continue;
        }
        if (!open.empty()) statements.push_back(std::exchange(open, {}));
    }
    if (!open.empty()) statements.push_back(std::move(open));
    return statements;
}

}  // namespace daybook::detail
