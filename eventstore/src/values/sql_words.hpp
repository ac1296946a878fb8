#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace daybook::detail {

/// A word, or a mark of one character, of an SQL text. Texts in quotes, numbers and comments are
/// not among them; the body of a dollar-quoted text is, since a DO block or a function runs it.
struct SqlWord {
    enum class Kind {
        word,    ///< a keyword or a name, in lower case
        quoted,  ///< a name in quotes, in lower case
        mark,    ///< `;`, `(`, `=` ...
    };
    Kind kind = Kind::mark;
    std::string text;
    bool in_body = false;  ///< inside a dollar-quoted text
};

/// The words of a text, for SQLite and PostgreSQL alike. It never fails: a text that no engine
/// takes gives words as well, and the engine's error is the one to show.
std::vector<SqlWord> words_of(std::string_view sql);

/// One statement of a script: a run of its words without the semicolon behind it. A trigger's or
/// a function's own statements belong to the statement that makes it.
using SqlStatement = std::vector<SqlWord>;
std::vector<SqlStatement> statements_of(std::vector<SqlWord> words);

}  // namespace daybook::detail
