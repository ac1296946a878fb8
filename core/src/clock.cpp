#include "daybook/core/clock.hpp"

#include <cstdlib>
#include <optional>

#include "daybook/core/error.hpp"

namespace daybook {
namespace {

// Reads a text from left to right. A mismatch sets a flag and throws nothing.
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
    /// A fraction of one to six digits, in millionths.
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

constexpr std::int64_t day_micros = 86'400'000'000;

// The calendar of the standard library ends at year 32767, a Timestamp at nine times that.
struct Date {
    std::int64_t year = 0;
    std::int64_t month = 0;
    std::int64_t day = 0;

    bool ok() const noexcept {
        // The calendar repeats every 400 years.
        return std::chrono::year_month_day{std::chrono::year{static_cast<int>(year % 400)},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}}
            .ok();
    }
};

constexpr std::int64_t years_of_era = 400;
constexpr std::int64_t days_of_era = 146'097;

// Days since 1970-01-01, moved by whole eras into the range of the standard library's calendar.
Date date_of(std::int64_t days) noexcept {
    const std::int64_t eras = days / days_of_era;
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{days % days_of_era}}};
    return {static_cast<int>(date.year()) + eras * years_of_era,
            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())};
}

std::int64_t days_to(const Date& date) noexcept {
    const std::chrono::year_month_day within{
        std::chrono::year{static_cast<int>(date.year % years_of_era)},
        std::chrono::month{static_cast<unsigned>(date.month)},
        std::chrono::day{static_cast<unsigned>(date.day)}};
    const std::int64_t days = std::chrono::sys_days{within}.time_since_epoch().count();
    return days + date.year / years_of_era * days_of_era;
}

// Nothing if a Timestamp cannot hold it.
std::optional<Timestamp> at(std::int64_t days, std::chrono::microseconds time) noexcept {
    // Before 1970 it counts from the end of the day, because the first day starts before the first
    // Timestamp.
    const std::int64_t whole = days < 0 ? days + 1 : days;
    if (days < 0) time -= std::chrono::microseconds{day_micros};
    if (std::abs(whole) > Timestamp::max().time_since_epoch().count() / day_micros)
        return std::nullopt;
    const Timestamp midnight{std::chrono::microseconds{whole * day_micros}};
    const Timestamp instant = saturating_add(midnight, time);
    if (instant - midnight != time) return std::nullopt;
    return instant;
}

void put(std::string& out, std::int64_t value, std::size_t digits) {
    const std::string text = std::to_string(value);
    if (text.size() < digits) out.append(digits - text.size(), '0');
    out += text;
}

}  // namespace

std::string to_iso8601(Timestamp instant) {
    const std::int64_t micros = instant.time_since_epoch().count();
    const std::int64_t rest = micros % day_micros;
    const bool before = rest < 0;
    const Date date = date_of(micros / day_micros - (before ? 1 : 0));
    const std::chrono::hh_mm_ss time{std::chrono::microseconds{before ? rest + day_micros : rest}};
    std::string text;
    text.reserve(30);
    if (date.year >= 0 && date.year <= 9'999) {
        put(text, date.year, 4);
    } else {
        put(text += date.year < 0 ? '-' : '+', std::abs(date.year), 6);
    }
    put(text += '-', date.month, 2);
    put(text += '-', date.day, 2);
    put(text += 'T', time.hours().count(), 2);
    put(text += ':', time.minutes().count(), 2);
    put(text += ':', time.seconds().count(), 2);
    put(text += '.', time.subseconds().count(), 6);
    return text += 'Z';
}

Timestamp parse_iso8601(std::string_view text) {
    using namespace std::chrono;
    Scanner scan{text};
    Date date;
    if (scan.skip('-')) {
        date.year = -scan.number(6);
    } else {
        date.year = scan.number(scan.skip('+') ? 6 : 4);
    }
    scan.expect('-');
    date.month = scan.number(2);
    scan.expect('-');
    date.day = scan.number(2);
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
    const auto refuse = [&](const char* why) {
        throw InvalidError("instant '" + std::string(text.substr(0, 60)) + why);
    };
    const bool read = !scan.failed() && scan.at_end();
    if (!read || !date.ok() || hour > 23 || minute > 59 || second > 59)
        refuse("': write it in UTC as 2016-07-04 or 2016-07-04T09:30:00.000000Z");
    const auto instant =
        at(days_to(date), hours{hour} + minutes{minute} + seconds{second} + microseconds{fraction});
    if (!instant) refuse("' lies beyond what can be recorded, years -290307 to 294246");
    return *instant;
}

Timestamp SystemClock::now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SystemClock& SystemClock::instance() noexcept {
    static SystemClock clock;
    return clock;
}

}  // namespace daybook
