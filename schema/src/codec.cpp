#include "daybook/schema/codec.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"

namespace daybook::detail {
namespace {

// nlohmann/json would write such numbers as null, and they could not be read again.
bool is_finite(const nlohmann::json& dom) {
    if (dom.is_structured()) return std::all_of(dom.begin(), dom.end(), is_finite);
    return !dom.is_number_float() || std::isfinite(dom.get<double>());
}

std::string about(std::string_view subject, std::string_view reason) {
    return "JSON of '" + std::string(subject) + "': " + std::string(reason);
}

}  // namespace

void append_dom(const nlohmann::json& dom, std::string& out, std::string_view subject) {
    if (!is_finite(dom)) throw InvalidError(about(subject, "a number is not finite"));
    try {
        out += dom.dump();
    } catch (const nlohmann::json::type_error&) {
        throw InvalidError(about(subject, "a text is not UTF-8"));
    }
}

nlohmann::json parse_dom(std::string_view text, std::string_view subject) {
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error& error) {
        // The library's own text would quote the payload, which may be secret.
        fail_dom(subject, "is not JSON from byte " + std::to_string(error.byte));
    } catch (const nlohmann::json::out_of_range&) {
        fail_dom(subject, "a number is out of the range of double");
    }
}

void fail_dom(std::string_view subject, std::string_view reason) {
    throw CorruptError(about(subject, reason) +
                       "; a changed shape needs a new version and an upcaster");
}

}  // namespace daybook::detail
