#include "postgres/watch.hpp"

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

constexpr std::string_view look_statement =
    "SELECT (SELECT COALESCE(max(position), 0) FROM event), (SELECT number FROM unit), "
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

// Whoever listens to the store holds this lock with the others, to be counted.
constexpr std::string_view say_listening =
    "SELECT pg_advisory_lock_shared(1147237733, 'event'::regclass::oid::integer)";
constexpr std::string_view count_listening =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1147237733 "
    "AND objid = 'event'::regclass::oid";

}  // namespace

Watch::Watch(Place place, EngineOptions options)
    : place_(std::move(place)),
      options_(std::move(options)),
      channel_(quoted_name("daybook." + place_.schema)) {
    const std::scoped_lock lock{mutex_};
    look();
}

void Watch::connect() {
    // A notification has a transaction of its own, which nobody's disk has to wait for.
    const Connection::Settings own{{"synchronous_commit", "off"}};
    connection_ = std::make_unique<Connection>(place_, options_, own);
    if (place_.pooled) return;
    connection_->run("LISTEN " + channel_);
    connection_->run(say_listening);
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
    const bool alone = connection_->told() == "1";
    if (alone && !asks) return;
    const bool sent =
        connection_->try_tell(asks ? notify + "; " + std::string(count_listening) : notify);
    if (sent && asks) asked_at_ = now;
}

std::uint64_t Watch::token() {
    const std::scoped_lock lock{mutex_};
    const bool hint = was_notified();
    if (hint || SteadyClock::now() - looked_at_ >= look_every) look();
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
    try {
        if (!connection_ || connection_->broken()) connect();
        connection_->send_settings();
        const Timestamp asked = SystemClock::instance().now();
        connection_->send(look_statement);
        const std::vector<Result> results = connection_->receive();
        const Result& seen = results.back();
        const Timestamp answered = SystemClock::instance().now();
        const Timestamp server{std::chrono::microseconds{seen.int8(0, 2)}};
        clock_.set_offset(server - (asked + (answered - asked) / 2));
        if (seen.int8(0, 0) == head_ && seen.int8(0, 1) == units_) return;
        head_ = seen.int8(0, 0);
        units_ = seen.int8(0, 1);
        ++token_;
    } catch (const UnavailableError&) {
        // Whoever waits shall look for himself, and meet the same error.
        ++token_;
        connection_.reset();
        if (token_ == 1) throw;
    }
}

}  // namespace daybook::postgres
