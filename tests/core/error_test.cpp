#include "daybook/core/error.hpp"

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/log.hpp"

using daybook::at_version;
using daybook::Conflict;
using daybook::ConflictError;
using daybook::Error;
using daybook::ErrorKind;
using daybook::Version;

TEST_CASE("the text of a conflict has the actual and the expected version and the remedy") {
    const auto text = [](daybook::ExpectedVersion expected, Version actual) {
        return Conflict{"account-1", expected, actual}.to_string();
    };
    CHECK(text(at_version(2), 3) ==
          "stream 'account-1' is at version 3, expected 2: read it again and decide again");
    CHECK(text(daybook::no_stream, 3) ==
          "stream 'account-1' is at version 3, expected no stream yet: read it again and decide "
          "again");
    CHECK(text(daybook::stream_exists, 0) ==
          "stream 'account-1' is at version 0, expected an existing stream: read it again and "
          "decide again");
}

TEST_CASE("a conflict is caught as itself and as the root with all of its properties") {
    try {
        throw ConflictError{{"account-1", at_version(2), 3}};
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::conflict);
        CHECK(std::string_view{error.where().file_name()}.ends_with("error_test.cpp"));
        const auto& conflict = dynamic_cast<const ConflictError&>(error);
        CHECK(conflict.stream() == daybook::StreamName{"account-1"});
        CHECK(conflict.expected() == at_version(2));
        CHECK(conflict.actual() == Version{3});
    }
}

TEST_CASE("only what time can heal may be repeated unchanged") {
    CHECK(daybook::UnavailableError{"busy"}.retryable());
    CHECK_FALSE(ConflictError({"a", at_version(2), 3}).retryable());
    CHECK_FALSE(daybook::InDoubtError{"unknown"}.retryable());
    CHECK_FALSE(daybook::StorageError{"disk full"}.retryable());
}

TEST_CASE("temporary errors are distinguished from permanent ones [B7]") {
    const auto transient = [](auto thrown) {
        return daybook::is_transient(std::make_exception_ptr(thrown));
    };
    CHECK(transient(daybook::UnavailableError{"no server"}));
    CHECK(transient(daybook::NotFoundError{"no schema"}));
    CHECK(transient(daybook::StorageError{"no room"}));
    CHECK(transient(daybook::InDoubtError{"no answer"}));
    CHECK(transient(std::bad_alloc{}));
    CHECK_FALSE(transient(daybook::InvalidError{"a bad name"}));
    CHECK_FALSE(transient(daybook::CorruptError{"torn"}));
    CHECK_FALSE(transient(daybook::DuplicateError{"used before"}));
    CHECK_FALSE(transient(daybook::CancelledError{"stopped"}));
    CHECK_FALSE(transient(ConflictError({"a", at_version(2), 3})));
    CHECK_FALSE(transient(std::runtime_error{"?"}));
    CHECK_FALSE(transient(7));
}

TEST_CASE("the text of an exception has those nested in it and no byte that cannot be stored") {
    const auto text = [](const auto& throwing) -> std::string {
        try {
            throwing();
        } catch (...) {
            return daybook::error_text(std::current_exception());
        }
        return {};
    };
    CHECK(text([] { throw std::runtime_error{"cannot send"}; }) == "cannot send");
    CHECK(text([] {
              try {
                  throw std::runtime_error{"socket closed"};
              } catch (...) {
                  std::throw_with_nested(std::runtime_error{"cannot send"});
              }
          }) == "cannot send\ncaused by: socket closed");
    CHECK(text([] { throw std::runtime_error{"\xff"}; }) == "\xef\xbf\xbd");
    CHECK(text([] { throw 7; }) == "an exception that is not a std::exception");
}

TEST_CASE("each kind of error has a name of its own") {
    CHECK(to_string(ErrorKind::invalid) == "invalid");
    CHECK(to_string(ErrorKind::conflict) == "conflict");
    CHECK(to_string(ErrorKind::duplicate) == "duplicate");
    CHECK(to_string(ErrorKind::not_found) == "not_found");
    CHECK(to_string(ErrorKind::unavailable) == "unavailable");
    CHECK(to_string(ErrorKind::storage) == "storage");
    CHECK(to_string(ErrorKind::corrupt) == "corrupt");
    CHECK(to_string(ErrorKind::in_doubt) == "in_doubt");
    CHECK(to_string(ErrorKind::cancelled) == "cancelled");
    CHECK(to_string(daybook::LogLevel::warning) == "warning");
}
