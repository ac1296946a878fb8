#pragma once

#include <string>
#include <string_view>

#include "daybook/core/ordinal.hpp"

namespace daybook {

/// The version that a caller expects a stream to have when it appends. If it has another one, the
/// append is a conflict and stores nothing.
class ExpectedVersion {
public:
    /// What can be expected of a stream.
    enum class Kind { any, no_stream, stream_exists, at_version };

    constexpr explicit ExpectedVersion(Kind kind, Version version = {}) noexcept
        : kind_(kind), version_(version) {}

    constexpr Kind kind() const noexcept { return kind_; }
    /// Only meaningful for `at_version`.
    constexpr Version version() const noexcept { return version_; }

    /// Whether a stream that holds `actual` events meets the expectation.
    constexpr bool admits(Version actual) const noexcept {
        switch (kind_) {
            case Kind::any: return true;
            case Kind::no_stream: return actual == Version{0};
            case Kind::stream_exists: return actual > Version{0};
            case Kind::at_version: return actual == version_;
        }
        return false;
    }

    /// `any`, `none`, `exists` or a number: as on the command line. Throws InvalidError.
    static ExpectedVersion parse(std::string_view text);
    std::string to_string() const;

    constexpr bool operator==(const ExpectedVersion&) const noexcept = default;

private:
    Kind kind_;
    Version version_;
};

/// No expectation: the stream may hold any number of events.
inline constexpr ExpectedVersion any_version{ExpectedVersion::Kind::any};
/// The stream holds nothing yet.
inline constexpr ExpectedVersion no_stream{ExpectedVersion::Kind::no_stream};
/// The stream holds at least one event.
inline constexpr ExpectedVersion stream_exists{ExpectedVersion::Kind::stream_exists};
/// The stream holds exactly `version` events; `at_version(0)` is `no_stream`.
constexpr ExpectedVersion at_version(Version version) noexcept {
    return version == Version{0} ? no_stream
                                 : ExpectedVersion{ExpectedVersion::Kind::at_version, version};
}

}  // namespace daybook
