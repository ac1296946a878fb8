#include "daybook/schema/field_codec.hpp"

#include <algorithm>
#include <cmath>

namespace daybook::detail {

EventId read_event_id(JsonReader& json) {
    if (const auto id = EventId::try_parse(json.text())) return *id;
    json.fail("expected an id like xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

Timestamp read_timestamp(JsonReader& json) {
    const std::string_view text = json.text();
    try {
        return parse_iso8601(text);
    } catch (const InvalidError&) {
        json.fail("expected an instant like 2016-07-04T09:30:00Z");
    }
}

StreamName read_stream_name(JsonReader& json) {
    const std::string_view text = json.text();
    try {
        return StreamName{text};
    } catch (const InvalidError&) {
        json.fail("expected the name of a stream");
    }
}

float read_float(JsonReader& json) {
    constexpr double greatest = std::numeric_limits<float>::max();
    // The shortest digits of the greatest float are above it, by less than half of its last bit.
    constexpr double end = greatest + 0x1p103;
    const double number = json.number();
    if (std::abs(number) >= end) json.fail("expected a number in the range of float");
    return static_cast<float>(std::clamp(number, -greatest, greatest));
}

}  // namespace daybook::detail
