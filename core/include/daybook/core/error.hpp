#pragma once

#include <exception>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace daybook {

/// The kinds of errors. The set is closed: a program may switch over it.
enum class ErrorKind {
    invalid,      ///< an argument that can never work; change the call
    conflict,     ///< another writer was faster; read again and decide again
    duplicate,    ///< the id belongs to another event or message already
    not_found,    ///< the named object does not exist
    unavailable,  ///< busy or unreachable; the same call may work later
    storage,      ///< the disk is full or has failed; nothing of the transaction was stored
    corrupt,      ///< the data that was read is damaged
    in_doubt,     ///< whether the transaction was committed is unknown; read before repeating it
    cancelled,    ///< stopped on request
};

/// The name of the kind: `not_found`.
std::string_view to_string(ErrorKind kind) noexcept;

/// The base of all errors of Daybook. The text names the object and the remedy.
class Error : public std::runtime_error {
public:
    ErrorKind kind() const noexcept { return kind_; }

    /// True if the same call can succeed later without a change: the kind is `unavailable`. A
    /// conflict is not retryable: the caller has to read and decide again first.
    bool retryable() const noexcept;

    /// True if the cause may end by itself: the store is unreachable, busy, a standby, or missing
    /// for a while (`unavailable`, `not_found`); its disk is full or has failed (`storage`); a
    /// reply was lost (`in_doubt`), and a checkpoint that commits with the work shows whether it
    /// was committed. All other errors last until a person changes something.
    bool transient() const noexcept;

    /// The line in Daybook (or in the caller's code) that has thrown it.
    const std::source_location& where() const noexcept { return where_; }

protected:
    Error(ErrorKind kind, const std::string& what, std::source_location where)
        : std::runtime_error(what), kind_(kind), where_(where) {}

private:
    ErrorKind kind_;
    std::source_location where_;
};

/// Error::transient of any exception: a lack of memory is transient as well, others are not.
bool is_transient(const std::exception& error) noexcept;
/// The same for one that is held by a pointer, of whatever type it is.
bool is_transient(const std::exception_ptr& error) noexcept;

/// The texts of an exception and of those nested in it, each on a line of its own, as clean text
/// (see `clean_text`).
std::string error_text(const std::exception_ptr& error);

/// One C++ type for each kind, so that a handler can catch the kinds that it can handle.
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
