#include "daybook/schema/is_json.hpp"

#include "padded_text.hpp"

namespace daybook {
namespace {

using simdjson::dom::element_type;

struct Outcome {
    simdjson::error_code error = simdjson::SUCCESS;
    element_type type = element_type::NULL_VALUE;  // of the root, without an error
};

struct Checker {
    detail::PaddedText text;
    simdjson::dom::parser parser{};

    Outcome check(std::string_view json) {
        text.assign(json);
        if (parser.capacity() < text.capacity()) {
            const auto error = parser.allocate(text.capacity(), json_depth_max);
            if (error != simdjson::SUCCESS) return {error};
        }
        simdjson::dom::element root;
        const auto padded = text.view();
        const auto error = parser.parse(padded.data(), padded.size(), false).get(root);
        if (error != simdjson::SUCCESS) return {error};
        return {error, root.type()};
    }
};

Outcome check(std::string_view json) {
    if (json.size() > detail::PaddedText::kept_bytes_max) return Checker{}.check(json);
    thread_local Checker kept;
    return kept.check(json);
}

// `json` without the blanks between its tokens. Nothing if a text in it has no end.
std::optional<std::string> compact(std::string_view json) {
    std::string out(json.size() + simdjson::SIMDJSON_PADDING, '\0');
    std::size_t size = 0;
    const auto error = simdjson::minify(json.data(), json.size(), out.data(), size);
    if (error != simdjson::SUCCESS) return std::nullopt;
    out.resize(size);
    return out;
}

}  // namespace

bool is_json(std::string_view text) { return check(text).error == simdjson::SUCCESS; }

bool is_json_object(std::string_view text) {
    const Outcome outcome = check(text);
    return outcome.error == simdjson::SUCCESS && outcome.type == element_type::OBJECT;
}

std::optional<std::string> json_fault(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) return "begins with a byte order mark: leave it out";
    switch (check(text).error) {
        case simdjson::SUCCESS: return std::nullopt;
        case simdjson::CAPACITY: return "is too long for one JSON value: store it in parts";
        case simdjson::MEMALLOC: return "needs more memory than there is: store it in parts";
        case simdjson::DEPTH_ERROR:
            return "nests objects and arrays deeper than " + std::to_string(json_depth_max) +
                   ": make it flatter";
        case simdjson::UTF8_ERROR: return "is not UTF-8: convert it";
        case simdjson::NUMBER_ERROR:
            return "has a number that is written wrongly, or that is beyond 64 bits or beyond a "
                   "double (1.8e308): write such a number as a text";
        case simdjson::STRING_ERROR:
            return "has a text with an escape that stands for no character, such as half of a "
                   "surrogate pair: correct it";
        case simdjson::UNESCAPED_CHARS:
            return "has a text with a raw control character or line break: escape it";
        case simdjson::UNCLOSED_STRING: return "is not JSON, a text in it has no end: close it";
        case simdjson::EMPTY: return "is empty and so is not JSON: give it JSON text";
        default: return "is not JSON: give it JSON text";
    }
}

bool is_same_json(std::string_view one, std::string_view other) {
    const auto text = compact(one);
    return text && text == compact(other);
}

}  // namespace daybook
