#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "values/text_hash.hpp"

namespace daybook::postgres {

/// The numbers that a stream's name and its category's have in the store.
struct StreamNumbers {
    std::int64_t stream;
    std::int64_t category;
};

/// What is known of the append of one event if nobody else has appended.
struct KnownEvent {
    struct Stream {
        std::int64_t number;
        Version version;
    };

    std::int64_t log = 0;  ///< the number of the table that this was learned of
    std::optional<std::int64_t> type;
    std::optional<std::int64_t> category;
    std::optional<Stream> stream;  ///< one that is as expected, if type and category are known too
};

/// What will become of appends if nobody else has appended. The lists of the foreseen go together.
struct Foresight {
    std::vector<const AppendRequest*> foreseen;
    std::vector<StreamNumbers> streams;
    std::vector<AppendResult> results;
    std::vector<std::int64_t> types;         ///< numbers, of all their events
    std::vector<const AppendRequest*> rest;  ///< of which it cannot be told
};

/// What one writer knows of the log: numbers of names, and the versions of the streams it has
/// appended to. All of that stays true as long as the last event of the log is the last one it
/// knows, which the server checks (`append_known`, `append_event`); so a writer that is alone looks
/// nothing up.
/// (docs/decisions/0013-a-writer-remembers-the-log.md)
class KnownLog {
public:
    /// The last event it knows; nil if it knows none.
    const EventId& last() const noexcept { return last_; }
    /// The number of the table that this was learned of.
    std::int64_t log() const noexcept { return log_; }

    Foresight foresee(AppendRequests requests);
    KnownEvent foresee_event(const AppendRequest& request) const;

    // What the server has said about appends that it stored: first whether `last` was the last
    // event of the log before them, then of each, in the order of their positions.
    void learn_continued(bool continued) noexcept;
    /// Forgets all numbers if they are another table's.
    void learn_log(std::int64_t log);
    void learn(const Foresight& foresight);
    void learn(const EventType& type, std::int64_t number);
    void learn(const AppendRequest& request, const StreamNumbers& numbers,
               const AppendResult& result);

private:
    struct Stream {
        StreamNumbers numbers{};
        Version version{};
        std::uint64_t era = 0;   ///< of the version
        Version foreseen{};      ///< its version after the requests …
        std::uint64_t look = 0;  ///< … that this look has gone through
        bool left_out = false;   ///< one of these could not be foreseen, so none behind it can
    };

    struct Number {
        std::int64_t value = 0;
        std::uint64_t era = 0;  ///< in another store it stands for another name
    };

    struct Type {
        int version = 0;
        Number number;
    };

    bool foresee(const AppendRequest& request, Foresight& foresight, Position& head);
    bool add_types(const AppendRequest& request, std::vector<std::int64_t>& types) const;
    std::optional<std::int64_t> number_of(const EventType& type) const;
    std::optional<std::int64_t> number_of_category(std::string_view category) const;

    static constexpr std::size_t streams_max = 1 << 17;
    static constexpr std::size_t categories_max = 1 << 14;
    static constexpr std::size_t types_max = 1 << 14;

    std::int64_t log_ = 0;
    EventId last_{};
    Position head_;           ///< the place of `last_`
    bool continued_ = false;  ///< nobody else came between the last two appends
    std::uint64_t era_ = 1;   ///< grows when somebody else has appended
    std::uint64_t look_ = 0;  ///< counts the looks
    detail::ByText<Stream> streams_;
    detail::ByText<Number> categories_;
    detail::ByText<std::vector<Type>> types_;
};

}  // namespace daybook::postgres
