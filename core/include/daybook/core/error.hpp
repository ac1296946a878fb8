#pragma once

#include <exception>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace daybook {

/// What went wrong, as a closed set: a program may switch over it.
enum class ErrorKind {
    invalid,      ///< the caller gave something that can never work; change the call
    conflict,     ///< somebody else was faster; read again and decide again
    duplicate,    ///< the same id was used before for something else
    not_found,    ///< the thing that was named is not there
    unavailable,  ///< busy or unreachable just now; the same call may work later
    storage,      ///< the disk is full or failed; nothing of the unit was stored
    corrupt,      ///< what was read cannot be what was written
    in_doubt,     ///< it cannot be known whether the unit was committed; look before repeating
    cancelled,    ///< stopped on request
};

/// The name of the kind: `not_found`.
std::string_view to_string(ErrorKind kind) noexcept;

/// The root of everything Daybook throws. The text names the thing it is about and what to do.
class Error : public std::runtime_error {
public:
    ErrorKind kind() const noexcept { return kind_; }

    /// True if the same call, unchanged, can succeed later: the kind is `unavailable`. A conflict
    /// is not of that sort: it needs a new look and a new decision first.
    bool retryable() const noexcept;

    /// True if it may be over by itself: the store is away, busy, a standby for a while, or not
    /// there for a moment (`unavailable`, `not_found`); its disk is full or has failed (`storage`);
    /// an answer was lost (`in_doubt`), and a checkpoint that commits with the work tells what
    /// became of it. Everything else stays until somebody changes something.
    bool transient() const noexcept;

    /// The place in Daybook (or in the caller's code) that raised it.
    const std::source_location& where() const noexcept { return where_; }

protected:
    Error(ErrorKind kind, const std::string& what, std::source_location where)
        : std::runtime_error(what), kind_(kind), where_(where) {}

private:
    ErrorKind kind_;
    std::source_location where_;
};

/// Error::transient of any exception: want of memory passes as well, what is unknown does not.
bool is_transient(const std::exception& error) noexcept;
/// The same for one that is held by a pointer, of whatever type it is.
bool is_transient(const std::exception_ptr& error) noexcept;

/// The texts of an exception and of those nested in it, each on a line of its own, as `clean_text`
/// leaves them.
std::string error_text(const std::exception_ptr& error);

/// One C++ type for each kind, so that a handler can catch just what it can handle.
template <ErrorKind Kind>
class ErrorOf : public Error {
public:
    explicit ErrorOf(const std::string& what,
                     std::source_location where = std::source_location::current())
        : Error(Kind, what, where) {}
};

using InvalidError = ErrorOf<ErrorKind::invalid>;          ///< see ErrorKind::invalid
using DuplicateError = ErrorOf<ErrorKind::duplicate>;      ///< see ErrorKind::duplicate
using NotFoundError = ErrorOf<ErrorKind::not_found>;       ///< see ErrorKind::not_found
using UnavailableError = ErrorOf<ErrorKind::unavailable>;  ///< see ErrorKind::unavailable
using StorageError = ErrorOf<ErrorKind::storage>;          ///< see ErrorKind::storage
using CorruptError = ErrorOf<ErrorKind::corrupt>;          ///< see ErrorKind::corrupt
using InDoubtError = ErrorOf<ErrorKind::in_doubt>;         ///< see ErrorKind::in_doubt
using CancelledError = ErrorOf<ErrorKind::cancelled>;      ///< see ErrorKind::cancelled

}  // namespace daybook
