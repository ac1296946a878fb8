#include "daybook/schema/field_codec.hpp"

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
    const double number = json.number();
    // Compared first: to convert what is out of range is undefined.
    if (std::abs(number) > std::numeric_limits<float>::max()) {
        json.fail("expected a number in the range of float");
    }
    return static_cast<float>(number);
}

}  // namespace daybook::detail
