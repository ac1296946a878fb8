#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/command/output.hpp"
#include "daybook/eventstore/event_store.hpp"

namespace daybook::command {

/// What to do if the store is not there.
enum class IfMissing {
    fail,    ///< NotFoundError: for commands that look
    create,  ///< make it, and say so on stderr
};

/// One call of a sub-command: what it was given, the store it is about, where to write.
/// Used by one thread; the stop token by any.
class Invocation {
public:
    struct Parts;
    /// Made by `run`; a sub-command receives one.
    explicit Invocation(Parts& parts) noexcept : parts_(parts) {}
    Invocation(const Invocation&) = delete;
    Invocation& operator=(const Invocation&) = delete;

    /// Was the option given on the command line?
    bool has(std::string_view option) const;
    /// Its value: the last one given, else its fallback, else empty.
    std::string text(std::string_view option) const;
    /// The same of an option that takes a number; 0 if there is none.
    std::int64_t number(std::string_view option) const;
    /// All values given, in order.
    std::vector<std::string> texts(std::string_view option) const;

    /// The store named by `--store` or DAYBOOK_STORE, with the program's StoreOptions; with
    /// `clock`, which must outlive the store, in another time than theirs. Throws InvalidError if
    /// none is named, and what EventStore::open throws.
    EventStore open_store(IfMissing if_missing = IfMissing::fail, const Clock* clock = nullptr);

    /// The same for a store that the command's own options name.
    EventStore open_store_at(const std::string& uri, IfMissing if_missing = IfMissing::fail,
                             const Clock* clock = nullptr);

    /// Says that something is done for good: "order-7 has version 3 at position 9". What fails from
    /// now on, such as an answer that cannot be printed, is told as such, with code 1, and nobody
    /// is asked to repeat the call. A second text replaces the first.
    void committed(std::string what);

    Output& output() noexcept;
    bool json() noexcept { return output().json(); }

    /// Requested by Ctrl-C (SIGINT) or SIGTERM from now on, so that a command that runs until it is
    /// told otherwise can end cleanly. A second signal ends the process at once.
    std::stop_token stop();

private:
    Parts& parts_;
};

}  // namespace daybook::command
