#include "daybook/eventstore/guarded_sql.hpp"

#include <algorithm>
#include <initializer_list>

#include "daybook/core/error.hpp"
#include "values/sql_words.hpp"

namespace daybook {

namespace {

using detail::SqlStatement;
using detail::SqlWord;

constexpr std::string_view reserved_prefix = "daybook_";

bool is_one_of(const SqlWord& word, std::initializer_list<std::string_view> texts) {
    return word.kind == SqlWord::Kind::word &&
           std::find(texts.begin(), texts.end(), word.text) != texts.end();
}

bool is_mark(const SqlStatement& statement, std::size_t at, std::string_view mark) {
    return at < statement.size() && statement[at].kind == SqlWord::Kind::mark &&
           statement[at].text == mark;
}

/// Why the first words of a statement are refused; empty if they are not.
std::string_view refusal_of_beginning(const SqlStatement& statement) {
    const SqlWord& first = statement.front();
    const bool has_second = statement.size() > 1;
    if (is_one_of(first, {"begin", "start", "commit", "end", "rollback", "abort", "savepoint",
                          "release"}) ||
        (has_second && is_one_of(first, {"prepare"}) && is_one_of(statement[1], {"transaction"}))) {
        return "it would end or divide the transaction, which commits as a whole when its function "
               "returns and is rolled back when that throws: leave it out";
    }
    constexpr std::string_view changes_connection =
        "it would change the connection that the store works on: leave it out";
    if (is_one_of(first, {"set"}) && has_second &&
        is_one_of(statement[1], {"local", "constraints"})) {
        return {};
    }
    if (is_one_of(first, {"set", "reset", "discard", "deallocate", "listen", "unlisten", "load",
                          "attach", "detach", "vacuum"})) {
        return changes_connection;
    }
    const bool shows =
        has_second &&
        is_one_of(statement[1], {"table_info", "table_xinfo", "table_list", "index_list",
                                 "index_info", "index_xinfo", "foreign_key_list",
                                 "foreign_key_check", "quick_check", "integrity_check"});
    if (is_one_of(first, {"pragma"}) && !shows) return changes_connection;
    return {};
}

bool has_word(const SqlStatement& statement, std::initializer_list<std::string_view> texts) {
    return std::any_of(statement.begin(), statement.end(),
                       [&](const SqlWord& word) { return is_one_of(word, texts); });
}

bool changes_something(const SqlStatement& statement) {
    return is_one_of(statement.front(),
                     {"create", "drop", "alter", "replace", "copy", "lock", "comment", "grant",
                      "revoke", "reindex", "cluster", "refresh", "do", "call", "security"}) ||
           has_word(statement, {"insert", "update", "delete", "merge", "truncate"});
}

/// The reserved name that a statement changes or calls; empty if there is none.
std::string_view reserved_name_in(const SqlStatement& statement) {
    // EXPLAIN ANALYZE runs what it explains.
    if (is_one_of(statement.front(), {"explain"}) && !has_word(statement, {"analyze"})) return {};
    const bool changes = changes_something(statement);
    for (std::size_t i = 0; i < statement.size(); ++i) {
        const SqlWord& word = statement[i];
        if (word.kind == SqlWord::Kind::mark || !word.text.starts_with(reserved_prefix)) continue;
        if (changes || is_mark(statement, i + 1, "(")) return word.text;
    }
    return {};
}

void check_statement(const SqlStatement& statement, std::string_view text) {
    constexpr std::size_t shown_max = 200;
    const auto refuse = [&](const std::string& why) {
        throw InvalidError("sql: '" + std::string(text.substr(0, shown_max)) +
                           (text.size() > shown_max ? " ..." : "") + "': " + why);
    };
    if (const auto why = refusal_of_beginning(statement); !why.empty()) refuse(std::string(why));
    if (const auto name = reserved_name_in(statement); !name.empty()) {
        refuse("'" + std::string(name) +
               "' is the store's own, like every name that begins with daybook_: read it in a "
               "statement that changes nothing, and choose other names for what is yours");
    }
}

}  // namespace

void check_program_statement(std::string_view statement) {
    const auto found = detail::statements_of(detail::words_of(statement));
    if (found.size() != 1) {
        throw InvalidError(
            "sql: '" + std::string(statement) + "' holds " +
            (found.empty() ? "no statement" : std::to_string(found.size()) + " statements") +
            ": give one at a time, or use script()");
    }
    check_statement(found.front(), statement);
}

void check_program_script(std::string_view statements) {
    for (const SqlStatement& statement : detail::statements_of(detail::words_of(statements))) {
        check_statement(statement, statements);
    }
}

void GuardedSql::check(std::string_view statement) {
    if (std::find(checked_.begin(), checked_.end(), statement) != checked_.end()) return;
    check_program_statement(statement);
    checked_[oldest_] = statement;
    oldest_ = (oldest_ + 1) % checked_.size();
}

std::int64_t GuardedSql::execute(std::string_view statement, Parameters parameters) {
    check(statement);
    return inner_.execute(statement, parameters);
}

void GuardedSql::execute_later(std::string_view statement, Parameters parameters) {
    check(statement);
    inner_.execute_later(statement, parameters);
}

std::int64_t GuardedSql::query(std::string_view statement, Parameters parameters,
                               const Visitor& visit) {
    check(statement);
    return inner_.query(statement, parameters, visit);
}

void GuardedSql::script(std::string_view statements) {
    check_program_script(statements);
    inner_.script(statements);
}

}  // namespace daybook
