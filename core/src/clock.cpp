#include "daybook/core/clock.hpp"

#include "daybook/core/error.hpp"

namespace daybook {
namespace {

// Reads a text from left to right; what does not fit is remembered, not thrown.
class Scanner {
public:
    explicit Scanner(std::string_view text) noexcept : rest_(text) {}

    bool failed() const noexcept { return failed_; }
    bool at_end() const noexcept { return rest_.empty(); }

    /// A number of exactly `digits` digits.
    int number(int digits) noexcept {
        int value = 0;
        for (int i = 0; i < digits; ++i) value = value * 10 + next_digit();
        return value;
    }
    /// Six digits' worth of a fraction that may have fewer, but at least one.
    int micros() noexcept {
        int value = next_digit();
        for (int i = 1; i < 6; ++i) value = value * 10 + (digit_follows() ? next_digit() : 0);
        return value;
    }
    void expect(char wanted) noexcept {
        if (!skip(wanted)) failed_ = true;
    }
    bool skip(char wanted) noexcept {
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }

private:
    bool digit_follows() const noexcept {
        return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    }
    int next_digit() noexcept {
        if (!digit_follows()) {
            failed_ = true;
            return 0;
        }
        const int digit = rest_.front() - '0';
        rest_.remove_prefix(1);
        return digit;
    }

    std::string_view rest_;
    bool failed_ = false;
};

void put(std::string& out, std::int64_t value, std::size_t digits) {
    const std::string text = std::to_string(value);
    if (text.size() < digits) out.append(digits - text.size(), '0');
    out += text;
}

}  // namespace

std::string to_iso8601(Timestamp instant) {
    using namespace std::chrono;
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const hh_mm_ss time{instant - day};
    std::string text;
    text.reserve(27);
    put(text, static_cast<int>(date.year()), 4);
    put(text += '-', static_cast<unsigned>(date.month()), 2);
    put(text += '-', static_cast<unsigned>(date.day()), 2);
    put(text += 'T', time.hours().count(), 2);
    put(text += ':', time.minutes().count(), 2);
    put(text += ':', time.seconds().count(), 2);
    put(text += '.', time.subseconds().count(), 6);
    return text += 'Z';
}

Timestamp parse_iso8601(std::string_view text) {
    using namespace std::chrono;
    Scanner scan{text};
    const int y = scan.number(4);
    scan.expect('-');
    const int m = scan.number(2);
    scan.expect('-');
    const int d = scan.number(2);
    int hour = 0, minute = 0, second = 0, fraction = 0;
    if (scan.skip('T')) {
        hour = scan.number(2);
        scan.expect(':');
        minute = scan.number(2);
        scan.expect(':');
        second = scan.number(2);
        if (scan.skip('.')) fraction = scan.micros();
        scan.expect('Z');
    }
    const year_month_day date{year{y}, month{static_cast<unsigned>(m)},
                              std::chrono::day{static_cast<unsigned>(d)}};
    if (scan.failed() || !scan.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 59) {
        throw InvalidError("instant '" + std::string(text.substr(0, 60)) +
                           "': write it in UTC as 2016-07-04 or 2016-07-04T09:30:00.000000Z");
    }
    return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
           microseconds{fraction};
}

Timestamp SystemClock::now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SystemClock& SystemClock::instance() noexcept {
    static SystemClock clock;
    return clock;
}

}  // namespace daybook
