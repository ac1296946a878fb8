#include "topic_pattern.hpp"

#include "daybook/core/error.hpp"

namespace daybook::detail {
namespace {

// The view that stands for "no words left": a topic of zero words, other than one empty word.
constexpr std::string_view no_words{};

bool has_words(std::string_view topic) noexcept { return topic.data() != nullptr; }

std::string_view first_word(std::string_view topic) noexcept {
    return topic.substr(0, topic.find('.'));
}

std::string_view after_first_word(std::string_view topic) noexcept {
    const auto dot = topic.find('.');
    return dot == std::string_view::npos ? no_words : topic.substr(dot + 1);
}

}  // namespace

TopicPattern::TopicPattern(std::string_view pattern) {
    const auto refuse = [&](const char* why) {
        throw InvalidError("topic pattern '" + std::string(pattern) + "' " + why +
                           ": write words with dots between them, * for one word, # for any");
    };
    std::string_view rest = pattern.data() ? pattern : std::string_view{""};
    while (has_words(rest)) {
        const std::string_view word = first_word(rest);
        if (word.empty()) refuse("has an empty word");
        if (word.size() > 1 && word.find_first_of("*#") != std::string_view::npos) {
            refuse("has a wildcard inside a word");
        }
        // Two # in a row match the same as one, but make matching slow.
        if (word != "#" || words_.empty() || words_.back() != "#") words_.emplace_back(word);
        rest = after_first_word(rest);
    }
}

bool TopicPattern::matches(std::string_view topic) const {
    return matches_from(0, topic.data() ? topic : std::string_view{""});
}

bool TopicPattern::matches_from(std::size_t word, std::string_view topic) const {
    for (; word < words_.size(); ++word) {
        if (words_[word] == "#") {
            if (word + 1 == words_.size()) return true;
            for (; has_words(topic); topic = after_first_word(topic)) {
                if (matches_from(word + 1, topic)) return true;
            }
            return matches_from(word + 1, no_words);
        }
        if (!has_words(topic)) return false;
        if (words_[word] != "*" && words_[word] != first_word(topic)) return false;
        topic = after_first_word(topic);
    }
    return !has_words(topic);
}

}  // namespace daybook::detail
