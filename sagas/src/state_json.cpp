#include "state_json.hpp"

#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"
#include "daybook/schema/json_writer.hpp"
#include "enum_names.hpp"

namespace daybook::detail {

namespace {

using Json = nlohmann::json;

void write(JsonWriter& json, std::string_view key, const auto& value) {
    json.key(key);
    json.value(value);
}

void write_some(JsonWriter& json, std::string_view key, const std::string& text) {
    if (!text.empty()) write(json, key, text);
}

void write_some(JsonWriter& json, std::string_view key, const std::optional<Timestamp>& instant) {
    if (instant) write(json, key, *instant);
}

void write_exchange(JsonWriter& json, std::string_view key, const Exchange& exchange) {
    if (exchange.command_number == 0) return;
    json.key(key);
    json.begin_object();
    write(json, "attempts", exchange.attempts);
    write(json, "command_number", exchange.command_number);
    write(json, "answered", exchange.answered);
    json.end_object();
}

void write_step(JsonWriter& json, const SagaStep& step) {
    json.begin_object();
    write(json, "name", step.name);
    write(json, "kind", to_string(step.reversibility));
    write(json, "status", to_string(step.status));
    write_exchange(json, "forward", step.forward);
    write_exchange(json, "undo", step.undo);
    if (step.order != 0) write(json, "order", step.order);
    if (step.undo_again) write(json, "undo_again", true);
    write_some(json, "started_at", step.started_at);
    write_some(json, "ended_at", step.ended_at);
    write_some(json, "note", step.note);
    json.end_object();
}

void write_held(JsonWriter& json, const HeldInput& held) {
    json.key("held");
    json.begin_object();
    write(json, "type", held.type);
    write(json, "schema_version", held.schema_version);
    write(json, "data", held.data);
    write_some(json, "step", held.step);
    if (held.undo) write(json, "undo", true);
    if (held.command_number != 0) write(json, "command_number", held.command_number);
    json.end_object();
}

// Reading. A missing key is a field that was empty when it was written.

std::string text_at(const Json& json, const char* key) { return json.value(key, std::string{}); }

std::optional<Timestamp> instant_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end()) return std::nullopt;
    return parse_iso8601(found->get_ref<const std::string&>());
}

template <class Enum>
Enum enum_at(const Json& json, const char* key) {
    return parse_enum<Enum>(json.at(key).get_ref<const std::string&>());
}

Exchange exchange_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end()) return {};
    return {found->at("attempts").get<int>(), found->at("command_number").get<int>(),
            found->at("answered").get<bool>()};
}

SagaStep read_step(const Json& json) {
    SagaStep step;
    step.name = json.at("name").get<std::string>();
    step.reversibility = enum_at<Reversibility>(json, "kind");
    step.status = enum_at<StepStatus>(json, "status");
    step.forward = exchange_at(json, "forward");
    step.undo = exchange_at(json, "undo");
    step.order = json.value("order", 0);
    step.undo_again = json.value("undo_again", false);
    step.started_at = instant_at(json, "started_at");
    step.ended_at = instant_at(json, "ended_at");
    step.note = text_at(json, "note");
    return step;
}

HeldInput read_held(const Json& json) {
    HeldInput held;
    held.type = json.at("type").get<std::string>();
    held.schema_version = json.at("schema_version").get<int>();
    held.data = json.at("data").get<std::string>();
    held.step = text_at(json, "step");
    held.undo = json.value("undo", false);
    held.command_number = json.value("command_number", 0);
    return held;
}

SagaState read_state(const Json& json) {
    SagaState state;
    state.id = {json.at("definition").get<std::string>(), json.at("key").get<std::string>()};
    state.generation = json.at("generation").get<int>();
    state.version = json.at("version").get<int>();
    state.hash = json.at("hash").get<std::string>();
    state.status = enum_at<SagaStatus>(json, "status");
    state.resume = enum_at<SagaStatus>(json, "resume");
    state.end = enum_at<SagaStatus>(json, "end");
    state.pending_compensation = text_at(json, "pending_compensation");
    state.cause = enum_at<IncidentCause>(json, "cause");
    state.error = text_at(json, "error");
    state.reason = text_at(json, "reason");
    for (const Json& step : json.at("steps")) state.steps.push_back(read_step(step));
    state.step = json.value("step", SagaState::no_step);
    state.concluded = json.at("concluded").get<int>();
    state.data = json.at("data").dump();
    if (const auto held = json.find("held"); held != json.end()) state.held = read_held(*held);
    if (const auto timer = json.find("timer"); timer != json.end()) {
        state.timer =
            StepTimer{enum_at<SagaTimerKind>(*timer, "kind"), *instant_at(*timer, "due_at")};
    }
    state.deadline_at = instant_at(json, "deadline_at");
    state.started_at = instant_at(json, "started_at").value();
    state.waiting_since = instant_at(json, "waiting_since").value();
    state.updated_at = instant_at(json, "updated_at").value();
    state.ignored = json.at("ignored").get<std::uint64_t>();
    state.started_by = json.at("started_by").get<std::uint64_t>();
    state.correlation = EventId::parse(json.at("correlation").get_ref<const std::string&>());
    return state;
}

[[noreturn]] void corrupt(std::string_view what, const std::exception& error) {
    throw CorruptError("the " + std::string(what) + " of a saga cannot be read: " + error.what());
}

struct InputWriter {
    JsonWriter& json;
    const SagaState& state;

    void operator()(const ClockInput&) const {}
    void operator()(const StartInput&) const {}
    void operator()(const SentInput&) const {}
    void operator()(const ReplyInput& input) const {
        static constexpr std::string_view answers[] = {"success", "failure", "busy"};
        write(json, "step", state.steps.at(input.ref.step).name);
        write(json, "move", input.ref.kind == CommandKind::undo ? "undo" : "do");
        write(json, "command_number", input.ref.command_number);
        write(json, "answer", answers[static_cast<int>(input.answer)]);
        write(json, "type", input.type);
        write_some(json, "note", input.note);
    }
    void operator()(const TimerInput& input) const {
        write(json, "timer", to_string(input.kind));
        write(json, "due_at", input.due_at);
    }
    void operator()(const OperatorInput& input) const {
        write(json, "action", to_string(input.action));
        write(json, "actor", input.actor);
        write(json, "reason", input.reason);
    }
    void operator()(const FaultInput& input) const {
        write(json, "cause", to_string(input.cause));
        write(json, "error", input.error);
    }
    void operator()(const StaleInput& input) const { write(json, "stale", input.text); }
};

}  // namespace

std::string encode_state(const SagaState& state) {
    std::string text;
    JsonWriter json{text, "saga state"};
    json.begin_object();
    write(json, "definition", state.id.definition);
    write(json, "key", state.id.key);
    write(json, "generation", state.generation);
    write(json, "version", state.version);
    write(json, "hash", state.hash);
    write(json, "status", to_string(state.status));
    write(json, "resume", to_string(state.resume));
    write(json, "end", to_string(state.end));
    write_some(json, "pending_compensation", state.pending_compensation);
    write(json, "cause", to_string(state.cause));
    write_some(json, "error", state.error);
    write_some(json, "reason", state.reason);
    json.key("steps");
    json.begin_array();
    for (const SagaStep& step : state.steps) write_step(json, step);
    json.end_array();
    if (state.step != SagaState::no_step) write(json, "step", state.step);
    write(json, "concluded", state.concluded);
    json.key("data");
    json.json(state.data);
    if (state.held) write_held(json, *state.held);
    if (state.timer) {
        json.key("timer");
        json.begin_object();
        write(json, "kind", to_string(state.timer->kind));
        write(json, "due_at", state.timer->due_at);
        json.end_object();
    }
    write_some(json, "deadline_at", state.deadline_at);
    write(json, "started_at", state.started_at);
    write(json, "waiting_since", state.waiting_since);
    write(json, "updated_at", state.updated_at);
    write(json, "ignored", state.ignored);
    write(json, "started_by", state.started_by.value());
    write(json, "correlation", state.correlation);
    json.end_object();
    return text;
}

SagaState decode_state(std::string_view json) {
    try {
        return read_state(Json::parse(json));
    } catch (const std::exception& error) {
        corrupt("state", error);
    }
}

std::string encode_input(const SagaInput& input, const SagaState& state) {
    std::string text;
    JsonWriter json{text, "saga input"};
    json.begin_object();
    std::visit(InputWriter{json, state}, input);
    json.end_object();
    return text;
}

std::string encode_entry(const JournalEntry& entry) {
    std::string text;
    JsonWriter json{text, "saga journal"};
    json.begin_object();
    write(json, "generation", entry.generation);
    write(json, "status", to_string(entry.status));
    write(json, "text", entry.text);
    json.key("input");
    json.json(entry.input);
    if (!entry.state.empty()) {
        json.key("state");
        json.json(entry.state);
    }
    json.end_object();
    return text;
}

JournalEntry decode_entry(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        JournalEntry entry;
        entry.generation = json.at("generation").get<int>();
        entry.status = enum_at<SagaStatus>(json, "status");
        entry.text = text_at(json, "text");
        entry.input = json.at("input").dump();
        return entry;
    } catch (const std::exception& error) {
        corrupt("journal", error);
    }
}

std::optional<SagaState> decode_entry_state(std::string_view text) {
    Json entry;
    try {
        entry = Json::parse(text);
        static_cast<void>(entry.at("input"));  // throws unless this is a journal entry
    } catch (const std::exception& error) {
        corrupt("journal", error);
    }
    const auto state = entry.find("state");
    if (state == entry.end()) return std::nullopt;
    try {
        return read_state(*state);
    } catch (const std::exception& error) {
        corrupt("state", error);
    }
}

std::string encode_headers(const CommandHeaders& headers) {
    std::string text;
    JsonWriter json{text, "saga headers"};
    json.begin_object();
    json.key("saga");
    json.begin_object();
    write(json, "definition", headers.id.definition);
    write(json, "key", headers.id.key);
    write(json, "generation", headers.generation);
    write(json, "hash", headers.hash);
    write(json, "step", headers.step);
    write(json, "move", headers.kind == CommandKind::undo ? "undo" : "do");
    write(json, "command_number", headers.command_number);
    json.end_object();
    json.end_object();
    return text;
}

CommandHeaders decode_headers(std::string_view text) {
    if (auto headers = find_headers(text)) return *std::move(headers);
    throw InvalidError(
        "this message answers no saga: a participant hands the headers of the command back "
        "unchanged in its reply");
}

std::optional<CommandHeaders> find_headers(std::string_view text) noexcept {
    try {
        const Json json = Json::parse(text);
        const Json& saga = json.at("saga");
        CommandHeaders headers;
        headers.id = {saga.at("definition").get<std::string>(), saga.at("key").get<std::string>()};
        headers.generation = saga.at("generation").get<int>();
        headers.hash = text_at(saga, "hash");
        headers.step = saga.at("step").get<std::string>();
        headers.kind = saga.at("move") == "undo" ? CommandKind::undo : CommandKind::forward;
        headers.command_number = saga.at("command_number").get<int>();
        return headers;
    } catch (...) {
        return std::nullopt;
    }
}

}  // namespace daybook::detail
