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
#include "daybook/eventstore/store_access.hpp"
#include "failure.hpp"
#include "statements.hpp"

namespace daybook::detail {
namespace {

/// How many rows one statement removes.
constexpr std::size_t few_ids = 8;
constexpr std::size_t many_ids = 100;

constexpr std::size_t receiver_bytes_max = 200;

/// How many messages and kinds of messages are kept in mind that this program does not take.
constexpr std::size_t declined_max = 10'000;
constexpr std::size_t left_kinds_max = 1'000;

constexpr std::chrono::seconds forget_declined_after{5};

/// What began to wait further in the future than this did so before the clock was set back.
constexpr std::chrono::seconds set_back_min{1};

constexpr std::string_view died = "the process ended while it delivered this message";

/// Evenly in [0, 1), always the same for the same input (the mixing step of SplitMix64).
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

/// Removes the rows of these ids, in lists of few sizes, so that their statements stay prepared.
void remove_delivered(Sql& db, std::span<const EventId> ids) {
    static const std::string few = sql::outbox_remove_list(few_ids);
    static const std::string many = sql::outbox_remove_list(many_ids);
    while (!ids.empty()) {
        const bool is_few = ids.size() <= few_ids;
        const std::size_t room = is_few ? few_ids : many_ids;
        const auto portion = ids.first(std::min(room, ids.size()));
        ids = ids.subspan(portion.size());
        std::vector<SqlValue> values(portion.begin(), portion.end());
        // An id given twice removes its row once.
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
    if (is_resting(now)) return 0;
    // What is published from here on is left for the next run, or two handlers that write to each
    // other would never let this one end.
    const OutboxLook look = this->look(now);
    std::size_t ended = 0;
    if (look.has_ready || look.has_due) ended += run_own(look, now, stop);
    if (look.has_unhandled && !rest_ && !stop.stop_requested()) ended += run_unhandled(now, stop);
    return ended;
}

OutboxLook RelayPass::look(Timestamp now) {
    const OutboxLook seen = look_at_outbox(store_, now);
    if (!seen.newest_wait || *seen.newest_wait <= saturating_add(now, set_back_min)) return seen;
    shorten_waits(store_, now);
    return look_at_outbox(store_, now);
}

std::size_t RelayPass::run_own(const OutboxLook& look, Timestamp now, std::stop_token stop) {
    BatchRequest wanted{.newest = look.newest, .bytes_max = options_.batch_bytes_max};
    if (look.has_due) wanted.due = now;

    std::size_t ended = 0;
    bool again = true;
    while (again && !rest_ && !stop.stop_requested() && take_leases()) {
        const PartitionSet held = leases_.held() & all_partitions;
        if (std::exchange(wanted.set, held) != held) wanted.behind = BatchRequest::behind_none;
        wanted.rows_max = careful_ > 0 ? 1 : options_.batch_max;
        const OutboxBatch batch = load_batch(store_, wanted);
        const std::vector<Outcome> outcomes = deliver_all(batch.rows, stop);
        const Settled settled = settle(outcomes);
        ended += settled.ended;
        const bool all_through =
            settled.ended == batch.rows.size() && std::ranges::all_of(outcomes, is_plain);
        // What failed may be due again in the same run.
        if (!all_through) wanted.due = now;
        // What is gone leaves a trail in the index, through which a look from its begin would lead.
        wanted.behind = wanted.due || batch.rows.empty() ? BatchRequest::behind_none
                                                         : batch.rows.back().sequence;
        // Once a message that was tried again is through, those behind it have their turn.
        const bool unblocked = std::ranges::any_of(outcomes, [](const Outcome& outcome) {
            return outcome.result == Result::delivered && outcome.row->retry_at;
        });
        again = (settled.noted > 0 && (batch.more || unblocked)) ||
                (batch.rows.empty() && leases_.look_for_more());
    }
    return ended;
}

std::size_t RelayPass::run_unhandled(Timestamp now, std::stop_token stop) {
    using Steady = std::chrono::steady_clock;
    const auto rows_max = [&] { return careful_ > 0 ? 1 : options_.batch_max; };
    std::size_t ended = 0;
    if (auto due = load_unhandled_due(store_, now, rows_max()); !due.empty()) {
        ended += deliver_unhandled(std::move(due), stop).value_or(0);
    }
    const auto begun = Steady::now();
    const bool all_again = begun >= ask_again_;
    if (all_again) asked_about_ = {};
    if (begun >= forget_declined_) {
        declined_.clear();
        forget_declined_ = begun + forget_declined_after;
    }
    std::size_t pages = 0;
    for (bool more = true; more; ++pages) {
        UnhandledPage page = load_unhandled(store_, asked_about_, rows_max());
        more = page.more;
        std::erase_if(page.rows, [&](const OutboxRow& row) { return !takes(row); });
        if (!page.rows.empty()) {
            const auto delivered = deliver_unhandled(std::move(page.rows), stop);
            if (!delivered) return ended;
            ended += *delivered;
        }
        asked_about_ = page.end;
    }
    // However much is left, to ask about all of it takes little of the time.
    if (all_again && pages > 1) ask_again_ = Steady::now() + 20 * (Steady::now() - begun);
    leases_.give_back_lane();
    return ended;
}

std::optional<std::size_t> RelayPass::deliver_unhandled(std::vector<OutboxRow> rows,
                                                        std::stop_token stop) {
    const auto lane = leases_.take_lane();
    if (lane == PartitionLeases::Lane::busy) return std::nullopt;
    if (lane == PartitionLeases::Lane::deserted) careful_ = 2 * options_.batch_max;
    std::size_t ended = 0;
    for (std::size_t next = 0; next < rows.size();) {
        const std::size_t end = careful_ > 0 ? next + 1 : rows.size();
        const std::vector<OutboxRow> portion(
            std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(next)),
            std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(end)));
        ended += settle(deliver_all(portion, stop)).ended;
        if (rest_ || stop.stop_requested()) break;
        next = end;
    }
    if (!rest_ && !stop.stop_requested()) return ended;
    leases_.give_back_lane();
    return std::nullopt;
}

bool RelayPass::takes(const OutboxRow& row) const {
    if (declined_.contains(row.message.id)) return false;
    try {
        return transport_.takes(row.message);
    } catch (...) {
        // The delivery will tell.
        return true;
    }
}

bool RelayPass::is_resting(Timestamp now) {
    if (!rest_) return false;
    // A clock that was set back must not turn a short rest into a long one.
    const auto longest = std::max<std::chrono::microseconds>(bounded_wait(options_.down_pause),
                                                             std::chrono::seconds{1});
    if (now < rest_->until && rest_->until - now <= longest) return true;
    rest_.reset();
    return false;
}

bool RelayPass::take_leases() {
    // What killed a relay was in its last batch, which this one may mix with as many of its own.
    if (leases_.is_stale() && leases_.refresh() != 0) careful_ = 2 * options_.batch_max;
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
    rest_ = Rest{second_ + std::chrono::seconds{1}, {}};
    return false;
}

std::vector<RelayPass::Outcome> RelayPass::deliver_all(const std::vector<OutboxRow>& rows,
                                                       std::stop_token stop) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(rows.size());
    std::unordered_set<std::string> blocked_keys;
    for (const OutboxRow& row : rows) {
        if (stop.stop_requested() || rest_) break;
        std::string key = row.order_key();
        if (row.blocked || blocked_keys.contains(key)) {
            outcomes.push_back({.row = &row, .result = Result::blocked});
            continue;
        }
        if (!leases_.keep(row.partition)) continue;
        if (!is_within_speed_limit()) break;
        Outcome outcome = careful_ > 0 ? deliver_counted(row) : deliver(row);
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
    // Large, so it is in memory for this delivery only.
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
    // Whatever a receiver says of itself must not keep the outcome from being noted.
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
            rest_ = Rest{saturating_add(store_.clock().now(), bounded_wait(options_.down_pause)),
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
    --careful_;
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

RelayPass::Settled RelayPass::settle(const std::vector<Outcome>& outcomes) {
    const auto changes = [](const Outcome& outcome) { return outcome.result != Result::untouched; };
    if (std::ranges::none_of(outcomes, changes)) return {};

    PartitionSet concerned = 0;
    for (const Outcome& outcome : outcomes) {
        if (changes(outcome)) concerned |= 1U << outcome.row->partition;
    }
    Settled settled;
    PartitionSet held = 0;
    store_.transact([&](Transaction& tx) {
        held = leases_.held(tx);
        std::vector<EventId> delivered;
        for (const Outcome& outcome : outcomes) {
            if (!changes(outcome) || !contains(held, outcome.row->partition)) continue;
            if (is_plain(outcome)) {
                delivered.push_back(outcome.row->message.id);
            } else if (note(tx, outcome)) {
                ++settled.noted;
                if (outcome.result == Result::delivered || outcome.result == Result::parked) {
                    ++settled.ended;
                }
            }
        }
        // Nobody else removes a message whose partition is held here.
        remove_delivered(store_sql(tx), delivered);
        settled.noted += delivered.size();
        settled.ended += delivered.size();
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
    return settled;
}

bool RelayPass::is_plain(const Outcome& outcome) {
    return outcome.result == Result::delivered && !outcome.row->retry_at;
}

bool RelayPass::note(Transaction& tx, const Outcome& outcome) {
    const OutboxRow& row = *outcome.row;
    const Message& message = row.message;
    Sql& db = store_sql(tx);
    switch (outcome.result) {
        case Result::untouched: return false;
        case Result::blocked: return db.exec(sql::outbox_block, row.sequence, message.id) == 1;
        case Result::failed:
            return db.exec(sql::outbox_note_attempt, message.attempt, next_attempt(row, tx.now()),
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
    if (left_kinds_.size() >= left_kinds_max) left_kinds_.clear();
    const std::string kind =
        message.topic + ' ' + message.type + ' ' + std::to_string(message.schema_version);
    if (!left_kinds_.insert(kind).second) return;
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
