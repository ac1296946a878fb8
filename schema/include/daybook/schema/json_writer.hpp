#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"

namespace daybook {

/// Appends JSON text to a string, without blanks, one call per thing:
///
///     JsonWriter json{text};
///     json.begin_object();
///     json.key("cents");
///     json.value(100);
///     json.end_object();
///
/// Commas come by themselves; that begins and ends match is the caller's care. What JSON cannot
/// hold (a number that is not finite, text that is not UTF-8) throws InvalidError, and `out` is
/// what it was before. Not thread-safe; `out` must outlive the writer.
class JsonWriter {
public:
    /// `subject` is named by errors; it must outlive the writer.
    explicit JsonWriter(std::string& out, std::string_view subject = "JSON")
        : out_(out), subject_(subject), start_(out.size()) {}
    JsonWriter(const JsonWriter&) = delete;
    JsonWriter& operator=(const JsonWriter&) = delete;

    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }

    void key(std::string_view name) {
        value(name);
        out_ += ':';
        comma_due_ = false;
        key_ = name;
    }
    /// A key that was made ready at compile time, as `,"name":` without any need of escaping.
    void ready_key(std::string_view text) {
        out_ += comma_due_ ? text : text.substr(1);
        comma_due_ = false;
        key_ = text.substr(2, text.size() - 4);
    }

    void value(bool truth) { put(truth ? "true" : "false"); }
    void value(std::signed_integral auto number) { integer(std::int64_t{number}); }
    void value(std::unsigned_integral auto number) { natural(std::uint64_t{number}); }
    /// The shortest digits that read back as the same number.
    void value(double number);
    void value(float number);
    void value(std::string_view text);
    void value(const std::string& text) { value(std::string_view{text}); }
    void value(const char* text) { value(std::string_view{text}); }
    void value(const EventId& id);
    /// ISO 8601. Years beyond 0 to 9999 throw InvalidError.
    void value(Timestamp instant);
    void null() { put("null"); }
    /// A value that is JSON already.
    void json(std::string_view text) { put(text); }

    /// Takes back what was written and throws InvalidError, naming the subject and the last key.
    [[noreturn]] void fail(std::string_view reason);

private:
    void put(std::string_view text) {
        comma();
        out_ += text;
    }
    void integer(std::int64_t number);
    void natural(std::uint64_t number);
    void begin(char bracket) {
        comma();
        out_ += bracket;
        comma_due_ = false;
    }
    void end(char bracket) {
        out_ += bracket;
        comma_due_ = true;
    }
    void comma() {
        if (comma_due_) out_ += ',';
        comma_due_ = true;
    }

    std::string& out_;
    std::string_view subject_;
    std::string_view key_;  // of the caller, only for error texts
    std::size_t start_;
    bool comma_due_ = false;
};

}  // namespace daybook
