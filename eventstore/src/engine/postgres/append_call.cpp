#include "engine/postgres/append_call.hpp"

namespace daybook::postgres {

namespace {

std::int64_t expected_code(const ExpectedVersion& expected) {
    using Kind = ExpectedVersion::Kind;
    switch (expected.kind()) {
        case Kind::any: return -1;
        case Kind::stream_exists: return -2;
        case Kind::no_stream: return 0;
        case Kind::at_version: break;
    }
    return static_cast<std::int64_t>(expected.version().value());
}

const EventId& first_of(const EventId& own, const EventId& of_request) {
    return own.is_nil() ? of_request : own;
}

void add_id(Array& array, const EventId& id) {
    if (id.is_nil()) {
        array.add_null();
    } else {
        array.add(id);
    }
}

void add_id(Parameters& parameters, const EventId& id) {
    if (id.is_nil()) {
        parameters.add_null(type::uuid);
    } else {
        parameters.add(id);
    }
}

std::int64_t microseconds(Timestamp instant) {
    return static_cast<std::int64_t>(instant.time_since_epoch().count());
}

std::string_view boolean(bool value) {
    static constexpr std::string_view no{"\0", 1};
    static constexpr std::string_view yes{"\1", 1};
    return value ? yes : no;
}

void add_options(Parameters& parameters, const AppendOptions& options) {
    add_id(parameters, options.last_known);
    parameters.add_binary(boolean(options.after_known), type::boolean);
}

void add_id_or_null(Parameters& parameters, std::optional<std::int64_t> id) {
    if (id) {
        parameters.add(*id);
    } else {
        parameters.add_null(type::int8);
    }
}

void add_hints(Parameters& parameters, const EventHints& hints) {
    add_id_or_null(parameters, hints.log_table);
    add_id_or_null(parameters, hints.type);
    add_id_or_null(parameters, hints.category);
    std::optional<std::int64_t> stream;
    std::optional<std::int64_t> version;
    if (hints.stream) {
        stream = hints.stream->id;
        version = static_cast<std::int64_t>(hints.stream->version.value());
    }
    add_id_or_null(parameters, stream);
    add_id_or_null(parameters, version);
}

}  // namespace

void EventContents::add(const AppendRequest& request, const NewEvent& event) {
    id_.add(event.id);
    add_id(correlation_, first_of(event.trace.correlation, request.trace.correlation));
    add_id(causation_, first_of(event.trace.causation, request.trace.causation));
    data_.add(std::string_view{event.data});
    if (event.metadata.empty()) {
        metadata_.add_null();
    } else {
        metadata_.add(std::string_view{event.metadata});
    }
}

void EventContents::add_to(Parameters& parameters) {
    parameters.add(id_, type::uuid_array)
        .add(correlation_, type::uuid_array)
        .add(causation_, type::uuid_array)
        .add(data_, type::text_array)
        .add(metadata_, type::text_array);
}

AppendEventsCall::AppendEventsCall(AppendRequests requests) {
    for (const AppendRequest* request : requests) add(*request);
}

void AppendEventsCall::add(const AppendRequest& request) {
    request_stream_.add(stream_number(request.stream));
    request_expected_.add(expected_code(request.expected));
    request_events_.add(static_cast<std::int32_t>(request.events.size()));
    request_recorded_.add(microseconds(request.recorded_at));
    std::int32_t number = 0;
    for (const NewEvent& event : request.events) {
        event_request_.add(request_stream_.size());
        event_number_.add(++number);
        event_type_.add(type_number(event.type));
        contents_.add(request, event);
    }
}

std::int32_t AppendEventsCall::stream_number(const StreamName& stream) {
    const auto [found, is_new] =
        stream_numbers_.try_emplace(std::string_view{stream.str()}, stream_names_.size() + 1);
    if (is_new) {
        stream_names_.add(std::string_view{stream.str()});
        stream_categories_.add(stream.category());
    }
    return found->second;
}

std::int32_t AppendEventsCall::type_number(const EventType& type) {
    auto& versions = type_numbers_[type.name];
    for (const auto& [version, number] : versions) {
        if (version == type.version) return number;
    }
    type_names_.add(type.name);
    type_versions_.add(std::int32_t{type.version});
    versions.emplace_back(type.version, type_names_.size());
    return type_names_.size();
}

Parameters AppendEventsCall::parameters(const AppendOptions& options) {
    Parameters all;
    all.add_binary(boolean(options.check_ids), type::boolean)
        .add(stream_names_, type::text_array)
        .add(stream_categories_, type::text_array)
        .add(type_names_, type::text_array)
        .add(type_versions_, type::int4_array)
        .add(request_stream_, type::int4_array)
        .add(request_expected_, type::int8_array)
        .add(request_events_, type::int4_array)
        .add(request_recorded_, type::int8_array)
        .add(event_request_, type::int4_array)
        .add(event_number_, type::int4_array)
        .add(event_type_, type::int4_array);
    contents_.add_to(all);
    add_options(all, options);
    return all;
}

AppendKnownCall::AppendKnownCall(const Prediction& prediction) {
    auto type = prediction.types.begin();
    for (std::size_t i = 0; i < prediction.predicted.size(); ++i) {
        const AppendRequest& request = *prediction.predicted[i];
        const StreamIds& ids = prediction.streams[i];
        const Version reached = prediction.results[i].version;
        auto version = static_cast<std::int64_t>(reached.value() - request.events.size());
        for (const NewEvent& event : request.events) {
            event_stream_.add(ids.stream);
            event_version_.add(++version);
            event_category_.add(static_cast<std::int32_t>(ids.category));
            event_type_.add(static_cast<std::int32_t>(*type++));
            event_recorded_.add(microseconds(request.recorded_at));
            contents_.add(request, event);
        }
    }
}

Parameters AppendKnownCall::parameters(const EventId& last_known, std::int64_t log_table) {
    Parameters all;
    all.add(last_known)
        .add(log_table)
        .add(event_stream_, type::int8_array)
        .add(event_version_, type::int8_array)
        .add(event_category_, type::int4_array)
        .add(event_type_, type::int4_array)
        .add(event_recorded_, type::int8_array);
    contents_.add_to(all);
    return all;
}

Parameters append_event_parameters(const AppendRequest& request, const AppendOptions& options,
                                   const EventHints& hints) {
    const NewEvent& event = request.events.front();
    Parameters all;
    all.add_text(request.stream.str())
        .add_text(request.stream.category())
        .add_text(event.type.name)
        .add(std::int64_t{event.type.version})
        .add(expected_code(request.expected))
        .add(microseconds(request.recorded_at))
        .add(event.id);
    add_id(all, first_of(event.trace.correlation, request.trace.correlation));
    add_id(all, first_of(event.trace.causation, request.trace.causation));
    all.add_text(event.data);
    if (event.metadata.empty()) {
        all.add_null(type::text);
    } else {
        all.add_text(event.metadata);
    }
    add_options(all, options);
    add_hints(all, hints);
    return all;
}

}  // namespace daybook::postgres
