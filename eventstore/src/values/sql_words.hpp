#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace daybook::detail {

/// A word, or a mark of one character, of an SQL text. Texts in quotes, numbers and comments are
/// left out. The body of a dollar-quoted text is included, because a DO block or a function runs
/// it.
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

/// The words of a text, by the rules of both engines. It never fails: it also returns words for a
/// text that is no valid SQL, so that the caller gets the error of the engine.
std::vector<SqlWord> words_of(std::string_view sql);

/// The words of one statement of a script, without the semicolon after it. The statements of a
/// trigger or a function belong to the statement that creates it.
using SqlStatement = std::vector<SqlWord>;
std::vector<SqlStatement> statements_of(std::vector<SqlWord> words);

}  // namespace daybook::detail
