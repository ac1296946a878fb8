#include "daybook/core/expected_version.hpp"

#include <charconv>

#include "daybook/core/error.hpp"

namespace daybook {

ExpectedVersion ExpectedVersion::parse(std::string_view text) {
    if (text == "any") return any_version;
    if (text == "none") return no_stream;
    if (text == "exists") return stream_exists;
    std::uint64_t number = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, number);
    if (error != std::errc{} || stopped != end) {
        throw InvalidError("expected version '" + std::string(text.substr(0, 40)) +
                           "': write any, none, exists or a number");
    }
    return at_version(number);
}

std::string ExpectedVersion::to_string() const {
    switch (kind_) {
        case Kind::any: return "any";
        case Kind::no_stream: return "none";
        case Kind::stream_exists: return "exists";
        case Kind::at_version: return std::to_string(version_.value());
    }
    return {};
}

}  // namespace daybook
