#include "engine/postgres/commit_listener.hpp"

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

// `last_value` of the sequence `daybook_transaction` is the id of the last transaction that is not
// a plain append. A sequence has no snapshot: the id is there before the transaction is committed.
// Whether it has ended is asked of this statement's snapshot, which is also that of the head.
constexpr std::string_view poll_statement =
    "SELECT (SELECT COALESCE(max(position), 0) FROM daybook_event), last_value, "
    "pg_visible_in_snapshot(last_value::text::xid8, pg_current_snapshot()), "
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_is_in_recovery() "
    "FROM daybook_transaction";
enum Column { head, last_transaction, transaction_has_ended, server_time, is_standby };

// Every listener of the store holds this lock shared, so that listeners can be counted.
constexpr std::string_view lock_as_listener =
    "SELECT pg_advisory_lock_shared(1147237733, 'daybook_event'::regclass::oid::integer)";
constexpr std::string_view count_other_listeners =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1147237733 "
    "AND objid = 'daybook_event'::regclass::oid AND pid <> pg_backend_pid()";

}  // namespace

CommitListener::CommitListener(ConnectionString connection_string, StoreOptions options)
    : connection_string_(std::move(connection_string)),
      options_(std::move(options)),
      channel_(quoted_name("daybook." + connection_string_.schema)) {
    {
        const MutexLock lock{mutex_};
        poll();
    }
    drain_thread_ = std::jthread{[this](const std::stop_token& stop) { drain(stop); }};
}

CommitListener::~CommitListener() {
    // The thread does not exist in the child of a fork, so joining it would not return.
    if (connection_ && connection_->belongs_to_parent()) drain_thread_.detach();
}

void CommitListener::connect() {
    listens_ = false;
    connection_.reset();
    // A NOTIFY is a transaction of its own. Nothing is lost with it, so it need not wait for the
    // disk.
    const Settings own{{"synchronous_commit", "off"}};
    connection_ = std::make_unique<Connection>(connection_string_, options_, own);
}

void CommitListener::listen() {
    connection_->send("LISTEN " + channel_);
    connection_->send(lock_as_listener);
    connection_->receive();
    listens_ = true;
}

void CommitListener::notify() noexcept {
    const MutexLock lock{mutex_};
    if (!connection_) return;
    const std::string command = "NOTIFY " + channel_;
    if (connection_string_.pooled) {
        connection_->try_send_async("BEGIN; SET LOCAL synchronous_commit TO off; " + command +
                                    "; COMMIT");
        return;
    }
    // While there are no other listeners, it is enough to count them once in `poll_interval`. One
    // that starts in between polls, and so misses nothing.
    const auto now = SteadyClock::now();
    const bool counts = now - listeners_counted_at_ >= poll_interval;
    const bool alone = connection_->async_result() == "0";
    if (alone && !counts) return;
    const bool sent = connection_->try_send_async(
        counts ? command + "; " + std::string(count_other_listeners) : command);
    if (sent && counts) listeners_counted_at_ = now;
}

std::uint64_t CommitListener::token() {
    const MutexLock lock{mutex_};
    notified_ = take_notifications() || notified_;
    if (notified_ || SteadyClock::now() - polled_at_ >= poll_interval) poll_or_note_failure();
    return token_;
}

bool CommitListener::take_notifications() {
    if (!connection_ || connection_->broken() || connection_string_.pooled) return false;
    PGconn* const handle = connection_->handle();
    if (PQconsumeInput(handle) == 0) return false;
    bool notified = false;
    while (PGnotify* const notice = PQnotifies(handle)) {
        notified = notified || notice->be_pid != PQbackendPID(handle);
        PQfreemem(notice);
    }
    return notified;
}

void CommitListener::poll() {
    polled_at_ = SteadyClock::now();
    notified_ = false;
    if (!connection_ || !connection_->usable()) connect();
    connection_->send_settings();
    const auto sent_at = ServerClock::steady_now();
    connection_->send(poll_statement);
    const std::vector<Result> results = connection_->receive();
    const Result& result = results.back();
    const auto answered_at = ServerClock::steady_now();
    const std::chrono::microseconds server{result.int8(0, server_time)};
    clock_.set_offset(server - (sent_at + (answered_at - sent_at) / 2));
    const LogState state{result.int8(0, head), result.int8(0, last_transaction),
                         result.boolean(0, transaction_has_ended)};
    if (last_state_ != state) ++token_;
    last_state_ = state;
    // A standby does not allow LISTEN. Once it has taken over, the next poll gets here again.
    if (!listens_ && !connection_string_.pooled && !result.boolean(0, is_standby)) listen();
}

void CommitListener::poll_or_note_failure() noexcept {
    try {
        poll();
    } catch (...) {
        // The changed token wakes the waiting readers. They read, and get the error themselves.
        ++token_;
        if (connection_ && !connection_->usable()) connection_.reset();
    }
}

void CommitListener::drain(const std::stop_token& stop) {
    MutexLock lock{mutex_};
    while (!stop.stop_requested()) {
        stopped_.wait_until(lock, stop, SteadyClock::now() + drain_interval);
        if (stop.stop_requested()) return;
        notified_ = take_notifications() || notified_;
        if (SteadyClock::now() - polled_at_ >= clock_sync_interval) poll_or_note_failure();
    }
}

}  // namespace daybook::postgres
