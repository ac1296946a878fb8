#include "daybook/schema/is_json.hpp"

#include <optional>

#include "padded_text.hpp"

namespace daybook {
namespace {

using simdjson::dom::element_type;

struct Checker {
    detail::PaddedText text;
    simdjson::dom::parser parser{};

    // The type of the root, if everything below it is right as well.
    std::optional<element_type> check(std::string_view json) {
        text.assign(json);
        if (parser.capacity() < text.capacity() &&
            parser.allocate(text.capacity(), json_depth_max) != simdjson::SUCCESS) {
            return std::nullopt;
        }
        simdjson::dom::element root;
        const auto padded = text.view();
        if (parser.parse(padded.data(), padded.size(), false).get(root) != simdjson::SUCCESS) {
            return std::nullopt;
        }
        return root.type();
    }
};

std::optional<element_type> check(std::string_view json) {
    if (json.size() > detail::PaddedText::kept_bytes_max) return Checker{}.check(json);
    thread_local Checker kept;
    return kept.check(json);
}

}  // namespace

bool is_json(std::string_view text) { return check(text).has_value(); }

bool is_json_object(std::string_view text) { return check(text) == element_type::OBJECT; }

}  // namespace daybook
