#pragma once

#include <exception>
#include <optional>

#include "daybook/core/backoff.hpp"

namespace daybook {

/// Whether an error may be over by itself: the store is away, busy, a standby for a while, or not
/// there for a moment (`unavailable`, `not_found`); its disk is full or has failed (`storage`); an
/// answer was lost (`in_doubt`), and a checkpoint that commits with the work tells what became of
/// it; memory has run out. All else stays until somebody changes something.
bool passes_by_itself(const std::exception& error) noexcept;

/// Decides for a thread that works on a store whether an error ends it. What passes by itself is
/// waited out, however long that takes. Anything else gets a second look and a third, as one read
/// may fail where the next is right, and ends it if it comes each time.
///
///     Retries retries{exponential{100ms, 2.0, 10s}.full_jitter()};
///     while (!stopped) {
///         try {
///             work();
///             retries.succeeded();
///         } catch (const std::exception& error) {
///             const auto wait = retries.after(error);
///             if (!wait) return halt(error);
///             sleep(*wait);
///         }
///     }
///
/// It is about errors of stores. What a program's own handler throws is not asked about here: it
/// would stop the work on all others. Not thread-safe.
class Retries {
public:
    /// `attempts` of the waits is not looked at.
    explicit Retries(Backoff waits) noexcept : waits_(waits) {}

    /// How long to wait before the next attempt; nothing if the error is final.
    std::optional<Backoff::Duration> after(const std::exception& error);
    /// What failed has worked: the next error is a first one.
    void succeeded() noexcept { failures_ = looks_ = 0; }

private:
    static constexpr int looks_max = 3;

    Backoff waits_;
    int failures_ = 0;  ///< in a row
    int looks_ = 0;     ///< in a row that did not look as if they would pass
};

}  // namespace daybook
