#include "relay_pass.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <span>
#include <unordered_set>
#include <utility>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/clock.hpp"
#include "daybook/eventstore/message_tables.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "failure.hpp"

namespace daybook::detail {
namespace {

/// How many rows one statement removes.
constexpr std::size_t few_ids = 8;
constexpr std::size_t many_ids = 100;

constexpr std::size_t receiver_bytes_max = 200;

/// Limits for `declined_` and `logged_kinds_`.
constexpr std::size_t declined_max = 10'000;
constexpr std::size_t logged_kinds_max = 1'000;

constexpr std::chrono::seconds clear_declined_after{5};

/// A wait that started more than this in the future started before the clock was set back.
constexpr std::chrono::seconds set_back_min{1};

constexpr std::string_view died = "the process ended while it delivered this message";

/// Uniform in [0, 1) and deterministic (the mixing step of SplitMix64).
double seeded_random(std::uint64_t seed, std::int64_t sequence, int attempt) noexcept {
    std::uint64_t mixed = seed;
    for (const auto part :
         {static_cast<std::uint64_t>(sequence), static_cast<std::uint64_t>(attempt)}) {
        mixed += part + 0x9E3779B97F4A7C15ULL;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
        mixed ^= mixed >> 31;
    }
    return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

/// Deletes the rows with these ids, in lists of two sizes, so that the prepared statements are
/// reused.
void remove_delivered(Sql& db, std::span<const EventId> ids) {
    static const std::string few = sql::outbox_remove_list(few_ids);
    static const std::string many = sql::outbox_remove_list(many_ids);
    while (!ids.empty()) {
        const bool is_few = ids.size() <= few_ids;
        const std::size_t room = is_few ? few_ids : many_ids;
        const auto portion = ids.first(std::min(room, ids.size()));
        ids = ids.subspan(portion.size());
        std::vector<SqlValue> values(portion.begin(), portion.end());
        // Repeats the last id to fill the list; its row is deleted once.
        values.resize(room, values.back());
        db.execute_later(is_few ? few : many, values);
    }
}

}  // namespace

RelayPass::RelayPass(EventStore store, Transport& transport, const RelayOptions& options)
    : store_(std::move(store)),
      transport_(transport),
      options_(options),
      leases_(store_, options.name, options.lease) {}

std::size_t RelayPass::run(std::stop_token stop) {
    const Timestamp now = store_.clock().now();
    if (is_paused(now)) return 0;
    // Messages published from here on are left for the next run: otherwise two handlers that send
    // to each other would keep this run from ending.
    const OutboxSummary outbox = check_outbox(now);
    std::size_t finished = 0;
    if (outbox.has_ready || outbox.has_due) finished += run_own(outbox, now, stop);
    if (outbox.has_unhandled && !pause_ && !stop.stop_requested())
        finished += run_unhandled(now, stop);
    return finished;
}

OutboxSummary RelayPass::check_outbox(Timestamp now) {
    const OutboxSummary found = read_outbox_summary(store_, now);
    if (!found.newest_wait || *found.newest_wait <= saturating_add(now, set_back_min)) return found;
    shorten_waits(store_, now);
    return read_outbox_summary(store_, now);
}

std::size_t RelayPass::run_own(const OutboxSummary& outbox, Timestamp now, std::stop_token stop) {
    BatchRequest request{.newest = outbox.newest, .bytes_max = options_.batch_bytes_max};
    if (outbox.has_due) request.due = now;

    std::size_t finished = 0;
    bool again = true;
    while (again && !pause_ && !stop.stop_requested() && refresh_leases()) {
        const PartitionSet held = leases_.held() & all_partitions;
        if (std::exchange(request.set, held) != held) request.after = BatchRequest::before_all;
        request.rows_max = one_by_one_left_ > 0 ? 1 : options_.batch_max;
        const OutboxBatch batch = load_batch(store_, request);
        const std::vector<Outcome> outcomes = deliver_all(batch.rows, stop);
        const RecordCounts recorded = record_all(outcomes);
        finished += recorded.finished;
        const bool all_delivered = recorded.finished == batch.rows.size() &&
                                   std::ranges::all_of(outcomes, is_removed_in_bulk);
        // A message that failed may be due again in the same run.
        if (!all_delivered) request.due = now;
        // Deleted rows stay in the index for a while, and a scan from its start would read them
        // all.
        request.after = request.due || batch.rows.empty() ? BatchRequest::before_all
                                                          : batch.rows.back().sequence;
        // A retry that was delivered unblocks the other messages of its key.
        const bool unblocked = std::ranges::any_of(outcomes, [](const Outcome& outcome) {
            return outcome.result == Result::delivered && outcome.row->retry_at;
        });
        again = (recorded.changed > 0 && (batch.more || unblocked)) ||
                (batch.rows.empty() && leases_.check_for_free_partitions());
    }
    return finished;
}

std::size_t RelayPass::run_unhandled(Timestamp now, std::stop_token stop) {
    using Steady = std::chrono::steady_clock;
    const auto rows_max = [&] { return one_by_one_left_ > 0 ? 1 : options_.batch_max; };
    std::size_t finished = 0;
    if (auto due = load_unhandled_due(store_, now, rows_max()); !due.empty()) {
        finished += deliver_unhandled(std::move(due), stop).value_or(0);
    }
    const auto started = Steady::now();
    const bool all_again = started >= restart_unhandled_at_;
    if (all_again) unhandled_cursor_ = {};
    if (started >= clear_declined_at_) {
        declined_.clear();
        clear_declined_at_ = started + clear_declined_after;
    }
    std::size_t pages = 0;
    for (bool more = true; more; ++pages) {
        UnhandledPage page = load_unhandled(store_, unhandled_cursor_, rows_max());
        more = page.more;
        std::erase_if(page.rows, [&](const OutboxRow& row) { return !takes(row); });
        if (!page.rows.empty()) {
            const auto delivered = deliver_unhandled(std::move(page.rows), stop);
            if (!delivered) return finished;
            finished += *delivered;
        }
        unhandled_cursor_ = page.end;
    }
    // Limits the scans of all messages left to other programs to a twentieth of the time.
    if (all_again && pages > 1)
        restart_unhandled_at_ = Steady::now() + 20 * (Steady::now() - started);
    leases_.release_unhandled();
    return finished;
}

std::optional<std::size_t> RelayPass::deliver_unhandled(std::vector<OutboxRow> rows,
                                                        std::stop_token stop) {
    const auto lease = leases_.acquire_unhandled();
    if (lease == PartitionLeases::UnhandledLease::busy) return std::nullopt;
    if (lease == PartitionLeases::UnhandledLease::abandoned)
        one_by_one_left_ = 2 * options_.batch_max;
    std::size_t finished = 0;
    for (std::size_t next = 0; next < rows.size();) {
        const std::size_t end = one_by_one_left_ > 0 ? next + 1 : rows.size();
        const std::vector<OutboxRow> portion(
            std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(next)),
            std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(end)));
        finished += record_all(deliver_all(portion, stop)).finished;
        if (pause_ || stop.stop_requested()) break;
        next = end;
    }
    if (!pause_ && !stop.stop_requested()) return finished;
    leases_.release_unhandled();
    return std::nullopt;
}

bool RelayPass::takes(const OutboxRow& row) const {
    if (declined_.contains(row.message.id)) return false;
    try {
        return transport_.takes(row.message);
    } catch (...) {
        // The delivery reports the error.
        return true;
    }
}

bool RelayPass::is_paused(Timestamp now) {
    if (!pause_) return false;
    // Bounds the pause, which would last longer by as much as the clock was set back.
    const auto longest = std::max<std::chrono::microseconds>(bounded_wait(options_.down_pause),
                                                             std::chrono::seconds{1});
    if (now < pause_->until && pause_->until - now <= longest) return true;
    pause_.reset();
    return false;
}

bool RelayPass::refresh_leases() {
    // The message that killed a relay was in that relay's last batch. This relay's next two batches
    // contain it: they may mix with as many messages of its own.
    if (leases_.is_stale() && leases_.refresh() != 0) one_by_one_left_ = 2 * options_.batch_max;
    return leases_.held() != 0;
}

bool RelayPass::is_within_speed_limit() {
    if (options_.per_second_max == 0) return true;
    const auto second = std::chrono::floor<std::chrono::seconds>(store_.clock().now());
    if (second != second_) {
        second_ = second;
        deliveries_ = 0;
    }
    if (deliveries_ < options_.per_second_max) {
        ++deliveries_;
        return true;
    }
    pause_ = Pause{second_ + std::chrono::seconds{1}, {}};
    return false;
}

std::vector<RelayPass::Outcome> RelayPass::deliver_all(const std::vector<OutboxRow>& rows,
                                                       std::stop_token stop) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(rows.size());
    std::unordered_set<std::string> blocked_keys;
    for (const OutboxRow& row : rows) {
        if (stop.stop_requested() || pause_) break;
        std::string key = row.order_key();
        if (row.blocked || blocked_keys.contains(key)) {
            outcomes.push_back({.row = &row, .result = Result::blocked});
            continue;
        }
        if (!leases_.ensure_held(row.partition)) continue;
        if (!is_within_speed_limit()) break;
        Outcome outcome = one_by_one_left_ > 0 ? deliver_counted(row) : deliver(row);
        if (outcome.result != Result::delivered && !key.empty()) {
            blocked_keys.insert(std::move(key));
        }
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

RelayPass::Outcome RelayPass::deliver(const OutboxRow& row) {
    const auto hand_over = [&](const Message& message) -> Delivery {
        try {
            return transport_.deliver(message);
        } catch (...) {
            return delivery_after(std::current_exception());
        }
    };
    if (row.has_data) return outcome_of(row, hand_over(row.message));
    // Large data is in memory for this delivery only.
    std::optional<std::string> data = load_data(store_, row);
    if (!data) return {.row = &row};
    Message whole = row.message;
    whole.data = std::move(*data);
    return outcome_of(row, hand_over(whole));
}

RelayPass::Outcome RelayPass::outcome_of(const OutboxRow& row, Delivery delivery) {
    if (delivery.status == Delivery::Status::delivered) {
        return {.row = &row, .result = Result::delivered};
    }
    // Cleans the texts: invalid UTF-8 from a receiver would make the transaction fail that records
    // the outcome.
    Outcome outcome{.row = &row,
                    .error = clean_text(delivery.error),
                    .receiver = clean_text(delivery.receiver, receiver_bytes_max)};
    switch (delivery.status) {
        case Delivery::Status::delivered: break;
        case Delivery::Status::rejected: outcome.result = Result::parked; break;
        case Delivery::Status::unhandled: return leave_or_park(std::move(outcome));
        case Delivery::Status::failed:
            outcome.reason = ParkReason::exhausted;
            outcome.result =
                options_.retry.exhausted(row.message.attempt) ? Result::parked : Result::failed;
            break;
        case Delivery::Status::down:
            pause_ = Pause{saturating_add(store_.clock().now(), bounded_wait(options_.down_pause)),
                           outcome.error.empty() ? "the transport is down" : outcome.error};
            break;
    }
    return outcome;
}

RelayPass::Outcome RelayPass::leave_or_park(Outcome outcome) {
    const OutboxRow& row = *outcome.row;
    const auto wait_max = options_.unhandled_wait_max;
    const bool is_over = row.is_unhandled() && row.retry_at <= store_.clock().now();
    if (is_over || wait_max == wait_max.zero()) {
        outcome.result = Result::parked;
        outcome.reason = ParkReason::unhandled;
        return outcome;
    }
    if (declined_.size() >= declined_max) declined_.clear();
    declined_.insert(row.message.id);
    if (!row.is_unhandled()) outcome.result = Result::left;
    return outcome;
}

RelayPass::Outcome RelayPass::deliver_counted(const OutboxRow& row) {
    --one_by_one_left_;
    if (options_.retry.exhausted(row.attempts_made())) {
        return {.row = &row,
                .result = Result::parked,
                .reason = ParkReason::crashed,
                .error = std::string(died)};
    }
    bool counted = false;
    store_.transact([&](Transaction& tx) {
        counted = contains(leases_.held(tx), row.partition) &&
                  store_sql(tx).exec(sql::outbox_count_attempt, row.message.attempt, tx.now(),
                                     tx.now(), died, row.sequence, row.message.id) == 1;
    });
    if (!counted) return {.row = &row};

    Outcome outcome = deliver(row);
    if (outcome.result == Result::untouched) {
        store_.transact([&](Transaction& tx) {
            if (!contains(leases_.held(tx), row.partition)) return;
            store_sql(tx).exec(sql::outbox_count_attempt, row.attempts_made(), row.retry_at,
                               row.waits_since, outcome.error, row.sequence, row.message.id);
        });
    }
    return outcome;
}

RelayPass::RecordCounts RelayPass::record_all(const std::vector<Outcome>& outcomes) {
    const auto changes = [](const Outcome& outcome) { return outcome.result != Result::untouched; };
    if (std::ranges::none_of(outcomes, changes)) return {};

    PartitionSet concerned = 0;
    for (const Outcome& outcome : outcomes) {
        if (changes(outcome)) concerned |= 1U << outcome.row->partition;
    }
    RecordCounts recorded;
    PartitionSet held = 0;
    store_.transact([&](Transaction& tx) {
        held = leases_.held(tx);
        std::vector<EventId> delivered;
        for (const Outcome& outcome : outcomes) {
            if (!changes(outcome) || !contains(held, outcome.row->partition)) continue;
            if (is_removed_in_bulk(outcome)) {
                delivered.push_back(outcome.row->message.id);
            } else if (record(tx, outcome)) {
                ++recorded.changed;
                if (outcome.result == Result::delivered || outcome.result == Result::parked) {
                    ++recorded.finished;
                }
            }
        }
        // While a partition is held here, no other relay removes its messages.
        remove_delivered(store_sql(tx), delivered);
        recorded.changed += delivered.size();
        recorded.finished += delivered.size();
    });
    if ((concerned & ~held) != 0) {
        store_.log(LogLevel::warning, "relay '" + options_.name +
                                          "' has lost a lease at work: what it delivered there is "
                                          "delivered again by another");
    }
    for (const Outcome& outcome : outcomes) {
        log_parked(outcome);
        log_left(outcome);
    }
    return recorded;
}

bool RelayPass::is_removed_in_bulk(const Outcome& outcome) {
    return outcome.result == Result::delivered && !outcome.row->retry_at;
}

bool RelayPass::record(Transaction& tx, const Outcome& outcome) {
    const OutboxRow& row = *outcome.row;
    const Message& message = row.message;
    Sql& db = store_sql(tx);
    switch (outcome.result) {
        case Result::untouched: return false;
        case Result::blocked: return db.exec(sql::outbox_block, row.sequence, message.id) == 1;
        case Result::failed:
            return db.exec(sql::outbox_record_attempt, message.attempt, next_attempt(row, tx.now()),
                           tx.now(), outcome.error, row.sequence, message.id) == 1;
        case Result::left:
            return db.exec(sql::outbox_leave,
                           saturating_add(tx.now(), bounded_wait(options_.unhandled_wait_max)),
                           tx.now(), outcome.error, row.sequence, message.id) == 1;
        case Result::parked: {
            const bool died_trying = outcome.reason == ParkReason::crashed;
            db.exec(sql::dead_letter_park, died_trying ? row.attempts_made() : message.attempt,
                    to_string(outcome.reason), outcome.error, outcome.receiver, options_.name,
                    tx.now(), row.sequence, message.id);
            return db.exec(sql::outbox_remove, row.sequence, message.id) == 1;
        }
        case Result::delivered: {
            const bool removed = db.exec(sql::outbox_remove, row.sequence, message.id) == 1;
            if (removed && row.retry_at && !message.key.empty()) {
                db.exec(sql::outbox_unblock, message.topic, message.key);
            }
            return removed;
        }
    }
    return false;
}

Timestamp RelayPass::next_attempt(const OutboxRow& row, Timestamp now) const {
    const int made = row.message.attempt;
    if (!options_.seed) return saturating_add(now, options_.retry.delay(made));
    return saturating_add(
        now, options_.retry.delay(made, seeded_random(*options_.seed, row.sequence, made)));
}

void RelayPass::log_left(const Outcome& outcome) {
    if (outcome.result != Result::left) return;
    const Message& message = outcome.row->message;
    if (logged_kinds_.size() >= logged_kinds_max) logged_kinds_.clear();
    const std::string kind =
        message.topic + ' ' + message.type + ' ' + std::to_string(message.schema_version);
    if (!logged_kinds_.insert(kind).second) return;
    store_.log(LogLevel::warning, "relay '" + options_.name + "' leaves messages like " +
                                      message.id.to_string() + " ('" + message.type +
                                      "' to topic '" + message.topic +
                                      "') to other programs: " + outcome.error);
}

void RelayPass::log_parked(const Outcome& outcome) const {
    if (outcome.result != Result::parked) return;
    const Message& message = outcome.row->message;
    store_.log(LogLevel::warning, "relay '" + options_.name + "' has parked message " +
                                      message.id.to_string() + " ('" + message.type +
                                      "' to topic '" + message.topic + "', key '" + message.key +
                                      "'): " + outcome.error);
}

}  // namespace daybook::detail
