#include "json_members.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"

namespace daybook::command {

namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Walks over JSON that is known to be whole.
class Scanner {
public:
    explicit Scanner(std::string_view json) : json_(json) {}

    char peek() {
        at_ = json_.find_first_not_of(blanks, at_);
        return json_[at_];
    }
    void take() { ++at_; }

    std::string_view value() {
        const char first = peek();
        const std::size_t begin = at_;
        if (first == '"') {
            take_string();
        } else if (first == '{' || first == '[') {
            take_brackets();
        } else {
            at_ = json_.find_first_of(", \t\r\n]}", at_);
        }
        return json_.substr(begin, at_ - begin);
    }

private:
    void take_string() {
        for (++at_; json_[at_] != '"'; ++at_) {
            if (json_[at_] == '\\') ++at_;
        }
        ++at_;
    }
    void take_brackets() {
        std::size_t depth = 0;
        do {
            at_ = json_.find_first_of("\"{}[]", at_);
            const char c = json_[at_];
            if (c == '"') {
                take_string();
                continue;
            }
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
            ++at_;
        } while (depth > 0);
    }

    std::string_view json_;
    std::size_t at_ = 0;
};

}  // namespace

void for_each_member(
    std::string_view object,
    const std::function<void(std::string_view key, std::string_view value)>& visit) {
    Scanner scan{object};
    std::set<std::string, std::less<>> seen;
    scan.peek();
    do {
        scan.take();  // the brace, or a comma
        if (scan.peek() == '}') return;
        const std::string key = json_text("key", scan.value());
        if (!seen.insert(key).second) {
            throw InvalidError("'" + key + "' stands there twice: leave out the wrong one");
        }
        scan.peek();
        scan.take();  // the colon
        visit(key, scan.value());
    } while (scan.peek() == ',');
}

std::string json_text(std::string_view key, std::string_view value) {
    const auto text = nlohmann::json::parse(value, nullptr, false);
    if (!text.is_string()) {
        throw InvalidError("'" + std::string(key) + "' is a text, not " +
                           std::string(value.substr(0, 40)));
    }
    return text.get<std::string>();
}

}  // namespace daybook::command
