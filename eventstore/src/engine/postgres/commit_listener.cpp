#include "engine/postgres/watch.hpp"

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

// The unit's number is read as it is at this moment, whatever is committed; whether that unit has
// ended, from this statement's snapshot.
constexpr std::string_view look_statement =
    "SELECT (SELECT COALESCE(max(position), 0) FROM daybook_event), last_value, "
    "pg_visible_in_snapshot(last_value::text::xid8, pg_current_snapshot()), "
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_is_in_recovery() "
    "FROM daybook_unit";
enum Column { head, unit, unit_has_ended, server_time, is_standby };

// Whoever listens to the store holds this lock with the others, to be counted.
constexpr std::string_view say_listening =
    "SELECT pg_advisory_lock_shared(1147237733, 'daybook_event'::regclass::oid::integer)";
constexpr std::string_view count_others_listening =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1147237733 "
    "AND objid = 'daybook_event'::regclass::oid AND pid <> pg_backend_pid()";

}  // namespace

Watch::Watch(Place place, StoreOptions options)
    : place_(std::move(place)),
      options_(std::move(options)),
      channel_(quoted_name("daybook." + place_.schema)) {
    {
        const std::scoped_lock lock{mutex_};
        look();
    }
    keeper_ = std::jthread{[this](const std::stop_token& stop) { keep(stop); }};
}

Watch::~Watch() {
    // A thread does not come along into the child of a fork.
    if (connection_ && connection_->is_of_parent()) keeper_.detach();
}

void Watch::connect() {
    listens_ = false;
    connection_.reset();
    // A notification has a transaction of its own, which nobody's disk has to wait for.
    const Settings own{{"synchronous_commit", "off"}};
    connection_ = std::make_unique<Connection>(place_, options_, own);
}

void Watch::listen() {
    connection_->send("LISTEN " + channel_);
    connection_->send(say_listening);
    connection_->receive();
    listens_ = true;
}

void Watch::tell() noexcept {
    const std::scoped_lock lock{mutex_};
    if (!connection_) return;
    const std::string notify = "NOTIFY " + channel_;
    if (place_.pooled) {
        connection_->try_tell("BEGIN; SET LOCAL synchronous_commit TO off; " + notify + "; COMMIT");
        return;
    }
    // As long as nobody else listens it is enough to ask now and then whether that is still so: who
    // comes meanwhile looks by himself.
    const auto now = SteadyClock::now();
    const bool asks = now - asked_at_ >= look_every;
    const bool alone = connection_->told() == "0";
    if (alone && !asks) return;
    const bool sent =
        connection_->try_tell(asks ? notify + "; " + std::string(count_others_listening) : notify);
    if (sent && asks) asked_at_ = now;
}

std::uint64_t Watch::token() {
    const std::scoped_lock lock{mutex_};
    notified_ = was_notified() || notified_;
    if (notified_ || SteadyClock::now() - looked_at_ >= look_every) look_or_note_failure();
    return token_;
}

bool Watch::was_notified() {
    if (!connection_ || connection_->broken() || place_.pooled) return false;
    PGconn* const handle = connection_->handle();
    if (PQconsumeInput(handle) == 0) return false;
    bool notified = false;
    while (PGnotify* const notice = PQnotifies(handle)) {
        notified = notified || notice->be_pid != PQbackendPID(handle);
        PQfreemem(notice);
    }
    return notified;
}

void Watch::look() {
    looked_at_ = SteadyClock::now();
    notified_ = false;
    if (!connection_ || !connection_->fit()) connect();
    connection_->send_settings();
    const auto asked = ServerClock::steady_now();
    connection_->send(look_statement);
    const std::vector<Result> results = connection_->receive();
    const Result& answer = results.back();
    const auto answered = ServerClock::steady_now();
    const std::chrono::microseconds server{answer.int8(0, server_time)};
    clock_.set_offset(server - (asked + (answered - asked) / 2));
    const Seen seen{answer.int8(0, head), answer.int8(0, unit), answer.boolean(0, unit_has_ended)};
    if (seen_ != seen) ++token_;
    seen_ = seen;
    // A standby takes no listeners, until it is none any more.
    if (!listens_ && !place_.pooled && !answer.boolean(0, is_standby)) listen();
}

void Watch::look_or_note_failure() noexcept {
    try {
        look();
    } catch (...) {
        // Whoever waits shall look for himself, and meet the same error.
        ++token_;
        if (connection_ && !connection_->fit()) connection_.reset();
    }
}

void Watch::keep(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (!stopped_.wait_for(lock, stop, take_every, [&] { return stop.stop_requested(); })) {
        if (stop.stop_requested()) return;
        notified_ = was_notified() || notified_;
        if (SteadyClock::now() - looked_at_ >= ask_time_every) look_or_note_failure();
    }
}

}  // namespace daybook::postgres
