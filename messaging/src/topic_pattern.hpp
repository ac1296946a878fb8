#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace daybook::detail {

/// A pattern for topics: words with dots between them; `*` matches one word, `#` any number of
/// words.
class TopicPattern {
public:
    /// Throws InvalidError for an empty word, or a wildcard that is only part of a word.
    explicit TopicPattern(std::string_view pattern);

    bool matches(std::string_view topic) const;

private:
    bool matches_from(std::size_t word, std::string_view topic) const;

    std::vector<std::string> words_;
};

}  // namespace daybook::detail
