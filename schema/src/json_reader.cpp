#include "daybook/schema/json_reader.hpp"

#include <bit>
#include <optional>
#include <string>
#include <utility>

#include "daybook/core/error.hpp"
#include "padded_text.hpp"

namespace daybook {

namespace ondemand = simdjson::ondemand;

namespace detail {

// One step from the root to the current value: a key, or an index if the key is empty.
struct PathStep {
    const PathStep* parent;
    std::string_view key;
    std::size_t index;
};

struct JsonCursor {
    std::string_view subject;
    std::string_view given;       // the text of the caller
    const char* begin = nullptr;  // of its copy, which is what is read
    const char* readable_end = nullptr;
    ondemand::document document{};
    ondemand::value* value = nullptr;  // unless at_root
    const PathStep* path = nullptr;
    bool at_root = true;
};

}  // namespace detail

namespace {

using detail::FieldSlot;
using detail::JsonCursor;
using detail::PathStep;

// The parser and its memory. Each thread has one.
struct Workspace {
    detail::PaddedText text;
    ondemand::parser parser{};
    bool busy = false;
};

class Busy {
public:
    explicit Busy(Workspace& workspace) noexcept : workspace_(workspace) { workspace.busy = true; }
    ~Busy() { workspace_.busy = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

private:
    Workspace& workspace_;
};

// Enters a value and leaves it again.
class Descent {
public:
    explicit Descent(JsonCursor& cursor) noexcept : cursor_(cursor), step_{cursor.path, {}, 0} {
        cursor.path = &step_;
    }
    ~Descent() { cursor_.path = step_.parent; }
    Descent(const Descent&) = delete;
    Descent& operator=(const Descent&) = delete;

    void to(std::string_view key, ondemand::value* value) noexcept {
        step_.key = key;
        cursor_.value = value;
    }
    void to_next_element(ondemand::value& value) noexcept {
        cursor_.value = &value;
        ++step_.index;
    }

private:
    JsonCursor& cursor_;
    PathStep step_;
};

std::string spell(const PathStep* step) {
    if (step == nullptr) return {};
    std::string path = spell(step->parent);
    if (step->key.empty()) return path + '[' + std::to_string(step->index - 1) + ']';
    if (!path.empty()) path += '.';
    return path.append(step->key);
}

std::string out_of(const char* what, std::string least, std::string greatest) {
    return std::string("expected ") + what + " from " + std::move(least) + " to " +
           std::move(greatest);
}

std::string broken(simdjson::error_code error) {
    return std::string("is not JSON (") + simdjson::error_message(error) + ')';
}

// Whether `name` is the key at `raw`, compared without unescaping.
bool spells(const char* raw, const char* readable_end, std::string_view name) noexcept {
    return static_cast<std::size_t>(readable_end - raw) > name.size() && raw[name.size()] == '"' &&
           std::memcmp(raw, name.data(), name.size()) == 0;
}

constexpr std::size_t unknown = static_cast<std::size_t>(-1);

// The slot of the next key's field. `expected` is compared first.
std::size_t find_slot(std::span<const FieldSlot> slots, std::size_t expected,
                      ondemand::field& field, const char* readable_end) {
    const char* const raw = field.key().raw();
    if (expected < slots.size() && spells(raw, readable_end, slots[expected].name)) return expected;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (spells(raw, readable_end, slots[i].name)) return i;
    }
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return unknown;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].name == key) return i;
    }
    return unknown;
}

template <class Container, class Get>
Container open(JsonReader& reader, JsonCursor& cursor, const char* wanted, Get get) {
    Container container;
    const bool was_root = std::exchange(cursor.at_root, false);
    const simdjson::error_code error =
        was_root ? get(cursor.document).get(container) : get(*cursor.value).get(container);
    if (error == simdjson::INCORRECT_TYPE) reader.fail(wanted);
    if (error != simdjson::SUCCESS) reader.fail(broken(error));
    return container;
}

ondemand::object open_object(JsonReader& reader, JsonCursor& cursor) {
    return open<ondemand::object>(reader, cursor, "expected an object",
                                  [](auto& value) { return value.get_object(); });
}

// In place: copying these small structs just after they were written costs more than reading them.
template <class T>
T& in_place(const JsonReader& reader, simdjson::simdjson_result<T>& result) {
    if (result.error() != simdjson::SUCCESS) reader.fail(broken(result.error()));
    auto&& value = static_cast<simdjson::simdjson_result<T>&&>(result).value_unsafe();
    return value;
}

}  // namespace

void JsonReader::run(std::string_view json, std::string_view subject, ValueVisitor visit) {
    thread_local Workspace kept;
    std::optional<Workspace> fresh;
    if (kept.busy || json.size() > detail::PaddedText::kept_bytes_max) fresh.emplace();
    Workspace& workspace = fresh ? *fresh : kept;
    const Busy busy{workspace};

    JsonCursor cursor{.subject = subject, .given = json};
    JsonReader reader{cursor};
    auto& [text, parser, _] = workspace;
    text.assign(json);
    cursor.begin = text.view().data();
    cursor.readable_end = text.readable_end();
    simdjson::error_code error = simdjson::SUCCESS;
    if (parser.capacity() < text.capacity()) error = parser.allocate(text.capacity());
    if (error == simdjson::SUCCESS) error = parser.iterate(text.view()).get(cursor.document);
    if (error != simdjson::SUCCESS) reader.fail(broken(error));

    visit.call(visit.context, reader);
    if (cursor.document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        reader.fail("is not JSON (something follows its end)");
    }
}

bool JsonReader::boolean() {
    bool truth = false;
    if (cursor_.at_root || cursor_.value->get_bool().get(truth) != simdjson::SUCCESS) {
        fail("expected true or false");
    }
    return truth;
}

std::int64_t JsonReader::integer(std::int64_t least, std::int64_t greatest) {
    std::int64_t number = 0;
    if (cursor_.at_root || cursor_.value->get_int64().get(number) != simdjson::SUCCESS ||
        number < least || number > greatest) {
        fail(out_of("a whole number", std::to_string(least), std::to_string(greatest)));
    }
    return number;
}

std::uint64_t JsonReader::natural(std::uint64_t greatest) {
    std::uint64_t number = 0;
    if (cursor_.at_root || cursor_.value->get_uint64().get(number) != simdjson::SUCCESS ||
        number > greatest) {
        fail(out_of("a whole number", "0", std::to_string(greatest)));
    }
    return number;
}

double JsonReader::number() {
    double number = 0;
    if (cursor_.at_root || cursor_.value->get_double().get(number) != simdjson::SUCCESS) {
        fail("expected a number in the range of double");
    }
    return number;
}

std::string_view JsonReader::text() {
    if (cursor_.at_root) fail("expected text");
    std::string_view text = cursor_.value->raw_json_token();
    const bool quoted = text.starts_with('"');
    if (quoted && std::memchr(text.data(), '\\', text.size()) == nullptr) {
        // Without escapes the text is read in place. Blanks may follow in the token.
        text = text.substr(1, text.rfind('"') - 1);
        if (cursor_.value->get_raw_json_string().error() == simdjson::SUCCESS) return text;
    } else if (cursor_.value->get_string().get(text) == simdjson::SUCCESS) {
        return text;
    }
    fail("expected text");
}

bool JsonReader::take_null() {
    bool null = false;
    return !cursor_.at_root && cursor_.value->is_null().get(null) == simdjson::SUCCESS && null;
}

std::string_view JsonReader::raw() {
    std::string_view copy;
    const simdjson::error_code error = std::exchange(cursor_.at_root, false)
                                           ? simdjson::to_json_string(cursor_.document).get(copy)
                                           : simdjson::to_json_string(*cursor_.value).get(copy);
    if (error != simdjson::SUCCESS) fail(broken(error));
    return cursor_.given.substr(static_cast<std::size_t>(copy.data() - cursor_.begin), copy.size());
}

void JsonReader::each_element(ValueVisitor visit) {
    auto array = open<ondemand::array>(*this, cursor_, "expected an array",
                                       [](auto& value) { return value.get_array(); });
    Descent descent{cursor_};
    for (auto element : array) {
        descent.to_next_element(in_place(*this, element));
        visit.call(visit.context, *this);
    }
}

void JsonReader::each_member(MemberVisitor visit) {
    auto object = open_object(*this, cursor_);
    Descent descent{cursor_};
    for (auto member : object) {
        ondemand::field& field = in_place(*this, member);
        std::string_view key;
        const simdjson::error_code error = field.unescaped_key().get(key);
        if (error != simdjson::SUCCESS) fail(broken(error));
        descent.to(key, &field.value());
        visit.call(visit.context, key);
    }
}

void JsonReader::fields(std::span<const FieldSlot> slots, void* object_of_caller) {
    auto object = open_object(*this, cursor_);
    Descent descent{cursor_};
    std::uint64_t missing = slots.empty() ? 0 : ~std::uint64_t{0} >> (64 - slots.size());
    std::size_t expected = 0;
    for (auto member : object) {
        ondemand::field& field = in_place(*this, member);
        const std::size_t found = find_slot(slots, expected, field, cursor_.readable_end);
        if (found == unknown) continue;
        descent.to(slots[found].name, &field.value());
        slots[found].read(*this, object_of_caller);
        missing &= ~(std::uint64_t{1} << found);
        expected = found + 1;
    }
    for (; missing != 0; missing &= missing - 1) {
        const FieldSlot& slot = slots[static_cast<std::size_t>(std::countr_zero(missing))];
        descent.to(slot.name, nullptr);
        if (slot.clear == nullptr) fail("is missing");
        slot.clear(object_of_caller);
    }
}

void JsonReader::fail(std::string_view reason) const {
    std::string text = "JSON of '" + std::string(cursor_.subject) + '\'';
    if (cursor_.path != nullptr) text += ", field '" + spell(cursor_.path) + '\'';
    text.append(": ").append(reason);
    throw CorruptError(text + "; a changed shape needs a new version and an upcaster");
}

}  // namespace daybook
