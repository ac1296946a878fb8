#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"

namespace daybook {

/// Appends JSON text to a string, without blanks:
///
///     JsonWriter json{text};
///     json.begin_object();
///     json.key("cents");
///     json.value(100);
///     json.end_object();
///
/// It writes the commas; the caller has to match begin and end. A value that JSON cannot hold (a
/// number that is not finite, text that is not UTF-8) throws InvalidError and leaves `out` as it
/// was before. Not thread-safe; `out` must outlive the writer.
class JsonWriter {
public:
    /// `subject` is its name in error texts; it must outlive the writer.
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
    /// A key that was prepared at compile time, as `,"name":`, and needs no escapes.
    void ready_key(std::string_view text) {
        out_ += comma_due_ ? text : text.substr(1);
        comma_due_ = false;
        key_ = text.substr(2, text.size() - 4);
    }

    void value(bool truth) { put(truth ? "true" : "false"); }
    void value(std::signed_integral auto number) { integer(std::int64_t{number}); }
    void value(std::unsigned_integral auto number) { natural(std::uint64_t{number}); }
    /// Writes the shortest digits that parse to the same number.
    void value(double number);
    void value(float number);
    void value(std::string_view text);
    void value(const std::string& text) { value(std::string_view{text}); }
    void value(const char* text) { value(std::string_view{text}); }
    void value(const EventId& id);
    /// ISO 8601. Years beyond 0 to 9999 throw InvalidError.
    void value(Timestamp instant);
    void null() { put("null"); }
    /// Writes a value that is JSON already.
    void json(std::string_view text) { put(text); }

    /// Removes what was written and throws InvalidError, which names the subject and the last key.
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
